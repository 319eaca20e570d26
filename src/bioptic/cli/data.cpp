#include "bioptic/cli/data_commands.h"

namespace bioptic {

void register_data(CLI::App& app, Command& run) {
  CLI::App* data = app.add_subcommand(
      "data", "Fetch, import, audit and export images, look at a dataset, make the phantom");
  data->require_subcommand(1);
  register_data_fetch(*data, run);
  register_data_import(*data, run);
  register_data_info(*data, run);
  register_data_audit(*data, run);
  register_data_export(*data, run);
  register_data_phantom(*data, run);
}

}  // namespace bioptic
