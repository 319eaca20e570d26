// What the names in a folder of images tell: what a system put there, and what looks like a mask.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bioptic/data/file_table.h"

namespace bioptic {

// Folders and files that a system, a server or an archive made, in any case: "@eaDir" (thumbnails
// of a Synology), "#recycle", "__MACOSX", "$RECYCLE.BIN", "System Volume Information",
// "lost+found", "Thumbs.db", ...  Hidden ones (".DS_Store") are left out anyway.
bool is_system_name(std::string_view name);

// Files of `files` from `first` to before `last`, all of one class, whose names begin with `above`
// (the class folder, with its '/').  Sentences for a person where they look as if not all were
// meant: masks beside their images (x_mask.png of x.png), and images in several folders of one
// class (CLASS/images, CLASS/masks), with counts.
std::vector<std::string> class_folder_notes(const FileTable& files, std::size_t first,
                                            std::size_t last, std::string_view above);

}  // namespace bioptic
