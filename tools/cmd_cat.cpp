// SPDX-License-Identifier: MIT
// brine cat: the elements of one tensor or numpy array, as text or as .npy, piece by piece.
#include "common.hpp"
#include "element_text.hpp"
#include "npy.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>

namespace tool {

namespace {

constexpr std::size_t kPiece = 1 << 20;

using Write = std::function<brine::Result<void>(std::string_view)>;
using Use = std::function<brine::Result<void>(std::size_t, std::span<const std::byte>)>;

/// Calls `copy` for runs of elements and `use` with their number and bytes.
template <class Copy>
brine::Result<void> in_pieces(std::int64_t count, std::size_t item, Copy copy, const Use& use) {
  const auto max = static_cast<std::int64_t>(std::max<std::size_t>(kPiece / std::max<std::size_t>(item, 1), 1));
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(count, max)) * item);
  for (std::int64_t at = 0; at < count; at += max) {
    const auto n = static_cast<std::size_t>(std::min(count - at, max));
    const auto part = std::span(buffer).first(n * item);
    if (auto ok = copy(at, part); !ok) return ok;
    if (auto ok = use(n, part); !ok) return ok;
  }
  return {};
}

struct Cat {
  Common common;
  std::string name, output, cast;
  bool npy = false, force = false;

  std::optional<brine::DType> cast_to() const { return cast.empty() ? std::nullopt : brine::dtype_from_text(cast); }

  int run() const {
    if (npy && refuse_terminal("an .npy file", output)) return kUsage;
    std::error_code ignored;
    if (!force && !output.empty() && std::filesystem::is_regular_file(output, ignored)) return fail(output, "the file exists; --force replaces it");
    const auto ckpt = common.open();
    if (!ckpt) return fail(ckpt.error());
    const auto job = plan(*ckpt);
    if (!job) return fail(brine::Error(job.error()).in_file(common.file));
    return write(*job);
  }

  /// What writes it all, once it is known that it can be written.
  using Job = std::function<brine::Result<void>(const Write&)>;

  // A name of the state dict, or a path of ls --all.
  brine::Result<Job> plan(const brine::Checkpoint& ckpt) const {
    if (const auto weights = ckpt.state_dict(common.at))
      if (const brine::Tensor* t = weights->find(name)) return of_tensor(*t);
    brine::Value value = ckpt.at(common.at.empty() ? name : name.empty() ? common.at : common.at + "." + name);
    if (!value.exists() && name == "(the root)") value = ckpt.at(common.at);  // as ls --all calls it
    if (!value.exists())
      return brine::Error(brine::ErrorKind::usage, brine::ErrorCode::missing_key, "there is no tensor or array " + printable(name) + "; brine ls --all lists them");
    if (auto array = brine::Array::of(value); array || value.kind() == brine::Kind::object) {
      if (!array && array.error().code() != brine::ErrorCode::wrong_kind) return std::move(array).error();
      if (array) return of_array(*array);
    }
    auto tensor = value.as_tensor();
    if (!tensor) return std::move(tensor).error();
    return of_tensor(*tensor);
  }

  static brine::Error unsuited(std::string text) { return brine::Error(brine::ErrorKind::usage, brine::ErrorCode::wrong_dtype, std::move(text)); }

  // One component after the other.
  brine::Result<Job> of_nested(const brine::Tensor& tensor) const {
    if (npy) return unsuited("a nested tensor is several arrays, and a NumPy file holds one");
    auto components = tensor.unbind();
    if (!components) return std::move(components).error();
    std::vector<Job> jobs;
    for (const brine::Tensor& component : *components) {
      auto job = of_tensor(component);
      if (!job) return job;
      jobs.push_back(std::move(*job));
    }
    return Job([jobs = std::move(jobs)](const Write& write) -> brine::Result<void> {
      for (const Job& job : jobs)
        if (auto ok = job(write); !ok) return ok;
      return {};
    });
  }

  // Filled in, as a strided one.
  brine::Result<Job> of_sparse(const brine::Tensor& tensor) const {
    constexpr std::uint64_t max = std::uint64_t{32} << 20;
    if (!force && tensor.nbytes() > max)
      return brine::Error(brine::ErrorKind::limit, brine::ErrorCode::copy_too_large,
                          "the sparse tensor would be filled in to " + std::to_string(tensor.nbytes()) + " bytes in memory; --force does that");
    auto dense = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(tensor.nbytes()));
    if (auto ok = tensor.to_dense(*dense); !ok) return std::move(ok).error();
    auto filled = brine::Tensor::borrow(*dense, tensor.dtype(), tensor.shape(), dense);
    return filled ? of_tensor(*filled) : std::move(filled).error();
  }

  brine::Result<Job> of_tensor(const brine::Tensor& tensor) const {
    if (tensor.is_nested()) return of_nested(tensor);
    if (tensor.is_sparse()) return of_sparse(tensor);
    const brine::DType dtype = cast_to().value_or(tensor.dtype());
    const std::string dtype_name(brine::name(dtype));
    const auto descr = npy_descr(dtype);
    if (npy && !descr) return unsuited("NumPy has no dtype for " + dtype_name + "; use --cast, as --cast float32");
    const auto as = npy ? std::optional(dtype) : printed_as(dtype);
    if (!as) return unsuited(dtype_name + " has no plain values to print");
    const bool packed = tensor.is_quantized() && brine::item_size(tensor.dtype()) == 1;  // some have four in a byte
    if (auto ok = check_repeats(tensor.numel(), tensor.storage().nbytes() / brine::item_size(tensor.dtype()) * (packed ? 4 : 1), "tensor"); !ok) return std::move(ok).error();
    return Job([=, this](const Write& write) -> brine::Result<void> {
      if (npy)
        if (auto ok = write(npy_header("'" + *descr + "'", tensor.shape())); !ok) return ok;
      Separators separators(tensor.shape());
      std::vector<std::byte> wide;
      // --cast rounds to its dtype first; text then prints that in a type that has a decimal form.
      const brine::DType first = cast_to().value_or(*as);
      return in_pieces(tensor.numel(), brine::item_size(first), [&](std::int64_t at, std::span<std::byte> out) { return tensor.copy_part(first, at, out); },
                       [&](std::size_t n, std::span<const std::byte> part) -> brine::Result<void> {
                         if (first != *as) {
                           wide.resize(n * brine::item_size(*as));
                           if (auto ok = brine::convert(first, part, *as, wide); !ok) return ok;
                           part = wide;
                         }
                         if (npy) return write(text_of(part));
                         return write_text(n, part, separators, write, [&](std::string& out, std::span<const std::byte> p) { append_element(out, *as, p.data()); });
                       });
    });
  }

  brine::Result<Job> of_array(const brine::Array& array) const {
    auto tensor = array.to_tensor();
    if (tensor && (!npy || !cast.empty())) return of_tensor(*tensor);
    if (!cast.empty()) return unsuited("cannot cast an array of dtype " + std::string(array.dtype()));
    if (array.items().exists())
      return unsuited(std::string(npy ? "a NumPy file holds an array of objects as a pickle, and brine writes none" : "an array of objects has no plain values") +
                      "; brine ls --all and show list what is in it");
    if (auto ok = check_repeats(array.size(), array.nbytes() / std::max<std::size_t>(array.itemsize(), 1), "array"); !ok) return std::move(ok).error();
    auto descr = array.descr();
    if (!descr) return std::move(descr).error();
    if (!npy && (descr->starts_with('[') || !has_numpy_text(array.dtype())))
      return unsuited("dtype " + std::string(array.dtype()) + " has no plain values to print; --npy writes it as a file of NumPy's");
    return Job([=, this, descr = std::move(*descr)](const Write& write) -> brine::Result<void> {
      if (npy)
        if (auto ok = write(npy_header(descr, array.shape())); !ok) return ok;
      Separators separators(array.shape());
      return in_pieces(array.size(), array.itemsize(), [&](std::int64_t at, std::span<std::byte> out) { return array.copy_part(at, out); },
                       [&](std::size_t n, std::span<const std::byte> part) -> brine::Result<void> {
                         if (npy) return write(text_of(part));
                         return write_text(n, part, separators, write, [&](std::string& out, std::span<const std::byte> p) { append_numpy_element(out, array.dtype(), p); });
                       });
    });
  }

  // A view of stride 0, or an array of items without bytes, is a few bytes that can claim to be exabytes.
  brine::Result<void> check_repeats(std::int64_t count, std::uint64_t held, const char* what) const {
    constexpr std::uint64_t few = 32 * 1024, often = 16;
    if (force || static_cast<std::uint64_t>(count) <= few + often * held) return {};
    return brine::Error(brine::ErrorKind::limit, brine::ErrorCode::copy_too_large, "the " + std::string(what) + " has " + std::to_string(count) + " elements, " +
                        (held == 0 ? "all of them empty" : "which repeat the " + std::to_string(held) + " of its storage") + "; --force writes them all");
  }

  static std::string_view text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

  template <class Append>
  static brine::Result<void> write_text(std::size_t count, std::span<const std::byte> part, Separators& separators, const Write& write, Append append) {
    std::string out;
    const std::size_t item = part.size() / count;
    for (std::size_t i = 0; i < count; ++i) {
      append(out, part.subspan(i * item, item));
      separators.append(out);
      if (out.size() < kPiece) continue;
      if (auto ok = write(out); !ok) return ok;
      out.clear();
    }
    return write(out);
  }

  int write(const Job& job) const {
    const auto failed = [this](const brine::Error& error) { return fail(brine::Error(error).in_file(common.file)); };
    if (!output.empty()) {
      const auto done = brine::write_file(output, [&](brine::Sink& sink) { return job([&](std::string_view text) { return sink.write(std::as_bytes(std::span(text))); }); });
      return done ? kDone : failed(done.error());
    }
    bool told = false;
    const auto done = job([&](std::string_view text) -> brine::Result<void> {
      if (write_out(text, false)) return {};
      told = true;
      return brine::Error(brine::ErrorKind::io, brine::ErrorCode::write_failed, "standard output");
    });
    if (!done && !told) return failed(done.error());
    return done && write_out("") ? int{kDone} : int{kRefused};
  }
};

}  // namespace

void add_cat(CLI::App& app, Run& run) {
  auto cat = std::make_shared<Cat>();
  CLI::App* command = app.add_subcommand("cat", "print one tensor or numpy array, as text or as .npy");
  cat->common.add_to(*command);
  command->add_option("NAME", cat->name, "the tensor or array: a name of ls, or a path of ls --all")->required();
  command->add_flag("--npy", cat->npy, "as a NumPy file; it does not go to a terminal");
  command->add_option("-o,--output", cat->output, "write to this file instead of standard output")->transform([](std::string path) { return path == "-" ? "" : path; });
  command->add_option("--cast", cat->cast, "convert to this dtype first (float32, bf16, torch.float16 …)")->check(check_dtype)->option_text("DTYPE");
  command->add_flag("--force", cat->force, "replace the file of -o if it exists; write a view that repeats its elements very often");
  command->footer("Examples:\n  brine cat resnet50.pth fc.bias\n  brine cat model.pth embed.weight --cast float32 --npy -o embed.npy");
  command->callback([cat, &run] { run = [cat] { return cat->run(); }; });
}

}  // namespace tool
