// The subcommands of `bioptic data`, and what they share.
#pragma once

#include <filesystem>

#include "bioptic/cli/command.h"

namespace bioptic {

void register_data_import(CLI::App& data, Command& run);
void register_data_audit(CLI::App& data, Command& run);
void register_data_export(CLI::App& data, Command& run);
void register_data_fetch(CLI::App& data, Command& run);
void register_data_info(CLI::App& data, Command& run);
void register_data_phantom(CLI::App& data, Command& run);

// The table of `data info` on standard output, or the same as JSON.
void print_dataset_info(const std::filesystem::path& folder, bool json, bool verify);

}  // namespace bioptic
