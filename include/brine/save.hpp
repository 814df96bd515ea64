// SPDX-License-Identifier: MIT
// save: files that cannot be told from PyTorch's own.
//
//   auto ckpt = brine::load("whole.pth");
//   auto weights = ckpt->state_dict();
//   auto saved = brine::save(*weights, "weights.pth");                             // as today's torch.save would write it
//   if (!saved) return fail(saved.error().message());
//   saved = brine::save(ckpt->root(), "again.pth", brine::SaveOptions::as_read(*ckpt));  // as the source file was written
//
// For the same object the file is byte for byte what torch.save writes, under the same file name (the archive's root is the name's stem).
// A path is saved atomically: the bytes go to a temporary file beside it, which takes its name when it is complete; the old file survives
// every failure, and saving over the file that is mapped is safe. Payload goes from the tensors' memory to the file without a copy.
#pragma once

#include <brine/checkpoint.hpp>
#include <brine/save_options.hpp>
#include <brine/sink.hpp>
#include <brine/state_dict.hpp>
#include <brine/value.hpp>

#include <filesystem>

namespace brine {

/// Fails with: io (the target is as it was), usage (a value the protocol cannot say, a path whose stem is empty), unsupported, limit, corrupt
/// (with `verify`), and as Storage::bytes() does.
BRINE_API Result<void> save(const StateDict& state, const std::filesystem::path& path, const SaveOptions& options = {});
BRINE_API Result<void> save(const StateDict& state, Sink sink, const SaveOptions& options = {});
BRINE_API Result<void> save(const Value& value, const std::filesystem::path& path, const SaveOptions& options = {});
BRINE_API Result<void> save(const Value& value, Sink sink, const SaveOptions& options = {});

}  // namespace brine
