// SPDX-License-Identifier: MIT
// brine cat: one tensor's elements, as text or as .npy.
#include "common.hpp"
#include "npy.hpp"

#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>

#include <unistd.h>

namespace tool {

namespace {

template <class T>
void append_number(std::string& out, T v) {
  char text[48];
  out.append(text, std::to_chars(text, text + sizeof text, v).ptr);
}

template <class T>
T load_at(const std::byte* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// One element, as text. `dtype` is one that element_dtype() gives.
void append_element(std::string& out, brine::DType dtype, const std::byte* p) {
  using enum brine::DType;
  const auto complex = [&](auto re, auto im) {
    append_number(out, re);
    if (!std::signbit(im)) out += '+';
    append_number(out, im);
    out += 'j';
  };
  switch (dtype) {
    case bool_: out += std::to_integer<int>(*p) ? "True" : "False"; break;
    case float32: append_number(out, load_at<float>(p)); break;
    case float64: append_number(out, load_at<double>(p)); break;
    case int64: append_number(out, load_at<std::int64_t>(p)); break;
    case uint64: append_number(out, load_at<std::uint64_t>(p)); break;
    case complex64: complex(load_at<float>(p), load_at<float>(p + 4)); break;
    case complex128: complex(load_at<double>(p), load_at<double>(p + 8)); break;
    default: break;
  }
}

// The wider type of the same kind in which text is printed.
std::optional<brine::DType> printed_as(brine::DType dtype) {
  using enum brine::DType;
  if (dtype == bool_ || dtype == uint64 || dtype == complex64 || dtype == complex128 || dtype == float64) return dtype;
  if (dtype == complex32) return complex64;
  if (brine::is_floating(dtype) && brine::convertible(dtype, float32)) return float32;
  if (brine::convertible(dtype, int64) && !brine::is_complex(dtype)) return int64;
  return std::nullopt;
}

struct Cat {
  Common common;
  std::string name, output, cast;
  bool npy = false;

  int run() const {
    std::optional<brine::DType> to;
    if (!cast.empty() && !(to = brine::dtype_from_name(cast))) {
      fail("there is no dtype " + cast + "; PyTorch's names are meant, as float32");
      return kUsage;
    }
    const auto ckpt = common.open();
    if (!ckpt) return fail(ckpt.error());
    const auto tensor = find(*ckpt);
    if (!tensor) return fail(tensor.error());
    const brine::DType dtype = to.value_or(tensor->dtype());
    const auto descr = npy_descr(dtype);
    if (npy && !descr) return fail(common.file + ": NumPy has no dtype for " + std::string(brine::name(dtype)) + "; use --cast, as --cast float32");
    const auto as = npy ? std::optional(dtype) : printed_as(dtype);
    if (!as) return fail(common.file + ": " + std::string(brine::name(dtype)) + " has no plain values to print");
    return write(*tensor, to, *as, descr.value_or(""));
  }

  // A name of the state dict, or a path of ls --all.
  brine::Result<brine::Tensor> find(const brine::Checkpoint& ckpt) const {
    if (const auto weights = ckpt.state_dict(common.at))
      if (const brine::Tensor* t = weights->find(name)) return *t;
    const brine::Value value = ckpt.at(common.at.empty() ? name : name.empty() ? common.at : common.at + "." + name);
    if (value.exists()) {
      auto t = value.as_tensor();
      if (!t) return std::move(t).error().in_file(common.file);
      return t;
    }
    return brine::Error(brine::ErrorKind::usage, brine::ErrorCode::missing_key, "there is no tensor " + printable(name) + "; brine ls --all lists them").in_file(common.file);
  }

  int write(const brine::Tensor& tensor, std::optional<brine::DType> cast_to, brine::DType as, const std::string& descr) const {
    // --cast rounds to its dtype first; text then prints that in a type that has a decimal form.
    std::vector<std::byte> elements;
    const auto copy = [&](const brine::Tensor& t, brine::DType dtype) -> brine::Result<void> {
      elements.resize(static_cast<std::size_t>(t.numel()) * brine::item_size(dtype));
      return t.copy_to(dtype, elements);
    };
    if (tensor.numel() > (std::int64_t{1} << 34)) return fail(common.file + ": the tensor has too many elements to print or copy");
    if (auto ok = copy(tensor, cast_to.value_or(as)); !ok) return fail(std::move(ok).error().in_file(common.file));
    if (cast_to && *cast_to != as) {
      std::vector<std::byte> wide(static_cast<std::size_t>(tensor.numel()) * brine::item_size(as));
      if (auto ok = brine::convert(*cast_to, elements, as, wide); !ok) return fail(ok.error());
      elements = std::move(wide);
    }
    std::string out;
    if (npy) {
      out = npy_header(descr, tensor.shape());
      out.append(reinterpret_cast<const char*>(elements.data()), elements.size());
    } else {
      out = text(tensor.shape(), as, elements);
    }
    if (output.empty()) return write_out(out) ? kDone : kRefused;
    std::ofstream file(output, std::ios::binary);
    file.write(out.data(), static_cast<std::streamsize>(out.size()));
    file.close();
    return file ? kDone : fail(output + ": cannot be written");
  }

  // A line for each run of the last dimension; a blank line between matrices.
  static std::string text(std::span<const std::int64_t> shape, brine::DType dtype, std::span<const std::byte> elements) {
    std::string out;
    const std::size_t item = brine::item_size(dtype), n = elements.size() / item;
    const std::size_t row = shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
    const std::size_t matrix = shape.size() < 2 ? n : row * static_cast<std::size_t>(shape[shape.size() - 2]);
    for (std::size_t i = 0; i < n; ++i) {
      append_element(out, dtype, elements.data() + i * item);
      out += (i + 1) % row ? ' ' : '\n';
      if (shape.size() > 2 && (i + 1) % matrix == 0 && i + 1 < n) out += '\n';
    }
    return out;
  }
};

}  // namespace

void add_cat(CLI::App& app, Run& run) {
  auto cat = std::make_shared<Cat>();
  CLI::App* command = app.add_subcommand("cat", "print one tensor, as text or as .npy");
  cat->common.add_to(*command);
  command->add_option("NAME", cat->name, "the tensor: a name of ls, or a path of ls --all")->required();
  command->add_flag("--npy", cat->npy, "as a NumPy file");
  command->add_option("-o,--output", cat->output, "write to this file instead of standard output");
  command->add_option("--cast", cat->cast, "convert to this dtype first: float32");
  command->footer("Examples:\n  brine cat resnet50.pth fc.bias\n  brine cat model.pth embed.weight --cast float32 --npy -o embed.npy");
  command->callback([cat, &run] { run = [cat] { return cat->run(); }; });
}

}  // namespace tool
