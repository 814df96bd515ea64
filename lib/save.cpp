// SPDX-License-Identifier: MIT
// The writer's front door: value → pickle → archive → file. load() read backwards.
#include <brine/save.hpp>

#include "bytes/file_save.hpp"
#include "bytes/guard.hpp"
#include "forms/file_layout.hpp"
#include "forms/form.hpp"
#include "forms/write_zip.hpp"
#include "pickle/emitter.hpp"
#include "state/edits.hpp"
#include "state/state_dict.hpp"
#include "support/try.hpp"
#include "torch/access.hpp"

#include <algorithm>
#include <limits>

namespace brine {

namespace {

/// A graph for what has to be made while writing. Its memory is the caller's own choice, so it has no limit but the machine's.
struct Scratch {
  Budget budget{std::numeric_limits<std::uint64_t>::max(), ErrorCode::out_of_memory};
  Graph graph{budget};
};

Result<void> check(const SaveOptions& options) {
  if (options.protocol >= 1 && options.protocol <= 5) return {};
  return Error(ErrorKind::usage, ErrorCode::bad_argument, "pickle protocol " + std::to_string(options.protocol) + "; 1 to 5 can be written");
}

/// What is to be written: a value, and what stands in the place of its parts.
struct Written {
  Ref root;
  const Replaced* replaced = nullptr;
};

/// Its pickle, and the storages that names.
struct Pickled {
  Buffer bytes;
  WrittenStorages storages;
};

Result<Pickled> pickle(const Written& what, Graph& scratch, const SaveOptions& options) {
  BRINE_TRY(check(options));
  const FileLayout* layout = options.layout.get();
  TorchReduce reduce({layout && layout->keep_keys, options.compact, layout && layout->keep_calls, options.profile == Profile::torch_1_6});
  if (options.compact) {  // once for nothing: what would be written is what there is to view
    BRINE_TRY(Emitter(scratch, reduce, options.protocol, what.replaced).run(what.root));
    reduce.surveyed();
  }
  BRINE_LET(bytes, Emitter(scratch, reduce, options.protocol, what.replaced).run(what.root));
  return Pickled{std::move(*bytes), std::move(reduce.storages())};
}

Result<void> write(const Written& what, Graph& scratch, Sink& sink, SaveOptions options) {
  if (options.root.empty()) options.root = "archive";
  BRINE_LET(pickled, pickle(what, scratch, options));
  return write_zip(sink, pickled->bytes.text(), std::move(pickled->storages), options);
}

Result<void> write(const Written& what, Graph& scratch, const std::filesystem::path& path, SaveOptions options) {
  if (options.root.empty()) options.root = archive_root(path.string());
  if (options.root.empty())
    return Error(ErrorKind::usage, ErrorCode::bad_argument, "the file's name has no stem, which the archive's folder is called after")
        .in_file(path.string());
  auto pickled = pickle(what, scratch, options);
  if (!pickled) return std::move(pickled).error().in_file(path.string());
  FileSaveOptions file;
  file.fsync = options.fsync;
  file.expected_size = zip_size(pickled->bytes.text(), pickled->storages);
  return save_file(path, file, [&](Sink& sink) { return write_zip(sink, pickled->bytes.text(), std::move(pickled->storages), options); });
}

template <class Target>
Result<void> save_value(const Graph* graph, const Ref& root, Target& target, const SaveOptions& options) {
  return guarded("saving", [&] {
    Scratch scratch;
    if (graph) scratch.graph.inherit(*graph);
    return write({root}, scratch.graph, target, options);
  });
}

template <class Target>
Result<void> save_state(const StateDict& state, Target& target, const SaveOptions& options) {
  return guarded("saving", [&]() -> Result<void> {
    Scratch scratch;
    Words words;
    if (const Graph* graph = StateDictAccess::impl(state)->graph) scratch.graph.inherit(*graph);
    BRINE_LET(root, state_dict_value(state, scratch.graph, words));
    return write({*root}, scratch.graph, target, options);
  });
}

template <class Target>
Result<void> save_edits(const Edits& edits, Target& target, const SaveOptions& options) {
  return guarded("saving", [&]() -> Result<void> {
    Scratch scratch;
    scratch.graph.inherit(*EditsAccess::impl(edits).graph);
    BRINE_LET(edited, apply(edits, scratch.graph));
    return write({edited->root, &edited->replaced}, scratch.graph, target, options);
  });
}

}  // namespace

Result<void> save(const Edits& edits, const std::filesystem::path& path, const SaveOptions& options) { return save_edits(edits, path, options); }
Result<void> save(const Edits& edits, Sink sink, const SaveOptions& options) { return save_edits(edits, sink, options); }

Result<void> save(const StateDict& state, const std::filesystem::path& path, const SaveOptions& options) { return save_state(state, path, options); }
Result<void> save(const StateDict& state, Sink sink, const SaveOptions& options) { return save_state(state, sink, options); }

Result<void> save(const Value& value, const std::filesystem::path& path, const SaveOptions& options) {
  return save_value(Access::graph(value), Access::ref(value), path, options);
}
Result<void> save(const Value& value, Sink sink, const SaveOptions& options) {
  return save_value(Access::graph(value), Access::ref(value), sink, options);
}

SaveOptions SaveOptions::as_read(const Checkpoint& checkpoint) {
  SaveOptions options;
  options.protocol = std::max(1, checkpoint.protocol());  // a pickle of text opcodes alone may be of either
  auto layout = std::make_shared<FileLayout>();
  layout->keep_calls = true;
  CheckpointAccess::opened(checkpoint).form->describe(options, *layout);
  options.layout = std::move(layout);
  return options;
}

}  // namespace brine
