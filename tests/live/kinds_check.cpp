// SPDX-License-Identifier: MIT
// For test_tensor_kinds.py, test_tensor_objects.py and test_quantised_modules.py: what every tensor of a file is and holds, one line each, the elements as
// FNV-1a of their bytes.
//   kinds_check FILE           the lines
//   kinds_check state FILE     those of its state dict: tensors by name, then the tensors in each other value
//   kinds_check values FILE    the values of the dict that is the root: as tensors, or the tensors that they are made of, by attribute, or the error
//   kinds_check FILE OUT [old] all tensors taken out, put into a dict of their own by path, and saved, for PyTorch 1.6 to 2.0 where it says so
#include <brine/brine.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::string hash(std::span<const std::byte> bytes) {
  std::uint64_t h = 0xCBF29CE484222325;
  for (const std::byte b : bytes) h = (h ^ std::to_integer<std::uint64_t>(b)) * 0x100000001B3;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(h));
  return text;
}

std::string elements(const brine::Tensor& t, brine::DType dtype) {
  std::vector<std::byte> all(static_cast<std::size_t>(t.numel()) * brine::item_size(dtype));
  const auto done = t.to_dense(dtype, all);
  return done ? hash(all) : std::string(name(done.error().code()));
}

std::string list(std::span<const std::int64_t> values) {
  std::string out = "[";
  for (const std::int64_t v : values) out += (out.size() > 1 ? "," : "") + std::to_string(v);
  return out + "]";
}

std::string plain(const brine::Tensor& t) { return std::string(name(t.dtype())) + list(t.shape()) + elements(t, t.dtype()); }

std::string told(const brine::Tensor& t) {
  std::string out = std::string(name(t.dtype())) + " " + (t.is_nested() ? "nested" : std::string(name(t.layout()))) + (t.is_parameter() ? " Parameter" : "") + (t.requires_grad() ? " grad" : "");
  if (t.is_meta()) return out + " meta " + list(t.shape()) + list(t.stride());
  if (t.is_nested()) {
    const auto components = t.unbind();
    if (!components) return out + " " + components.error().message();
    for (const auto& c : *components) out += " " + plain(c);
    return out;
  }
  out += " " + list(t.shape());
  if (t.is_quantized()) {
    out += " " + std::string(name(t.qscheme().value())) + list(t.stride());
    if (const auto scale = t.q_scale()) {
      char text[64];
      std::snprintf(text, sizeof text, " %.17g %lld", *scale, static_cast<long long>(t.q_zero_point().value()));
      out += text;
    } else {
      out += " " + plain(t.q_per_channel_scales().value()) + " " + plain(t.q_per_channel_zero_points().value()) + " " + std::to_string(t.q_per_channel_axis().value());
    }
    return out + " " + plain(t.int_repr().value()) + " " + elements(t, brine::DType::float32) + " " + elements(t, brine::DType::float16);
  }
  if (!t.is_sparse()) return out + " " + elements(t, t.dtype());
  if (t.is_coalesced()) out += " coalesced";
  const auto parts = t.parts();
  for (const auto& part : parts.value()) out += " " + std::string(part.name) + " " + plain(part.tensor);
  return out + " " + elements(t, t.dtype());
}

int failed(const brine::Error& error) { return std::fprintf(stderr, "%s\n", error.message().c_str()), 1; }

int state_dict(const brine::Result<brine::Checkpoint>& ckpt) {
  if (!ckpt) return failed(ckpt.error());
  const auto state = ckpt->state_dict();
  if (!state) return failed(state.error());
  for (const auto& [name, tensor] : *state) std::printf("%s\t%s\n", std::string(name).c_str(), told(tensor).c_str());
  for (const auto& [name, value] : state->others())
    for (const auto& place : ckpt->tensors(value)) std::printf("%s\t%s\n", std::string(name).c_str(), told(place.tensor).c_str());
  return 0;
}

// A DTensor says how it was placed, whatever else it is.
void print_value(const std::string& path, const brine::Value& value) {
  if (const auto d = brine::DTensor::of(value)) {
    std::string out = (d->is_whole ? "whole " : "shard ") + list(d->shape);
    for (const std::string& placement : d->placements) out += " " + placement;
    std::printf("%s\t%s\t%s\n", path.c_str(), out.c_str(), told(d->local).c_str());
  }
  const auto tensor = value.as_tensor();
  const std::string what = tensor ? told(*tensor) : std::string(name(tensor.error().code())) + " " + value.type_name();
  std::printf("%s\t%s\n", path.c_str(), what.c_str());
  const brine::Value state = value.state();
  for (const brine::Value& part : {state, state[0], state[1]})
    for (const auto& [key, item] : part.items())
      if (const auto inner = value.attr(key.as_string().value_or("")).as_tensor()) std::printf("%s.%s\t%s\n", path.c_str(), std::string(*key.as_string()).c_str(), told(*inner).c_str());
}

int values(const brine::Result<brine::Checkpoint>& ckpt) {
  if (!ckpt) return failed(ckpt.error());
  for (const auto& [key, value] : ckpt->root().items()) print_value(std::string(key.as_string().value()), value);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && argv[1] == std::string_view("state")) return state_dict(brine::load(argv[2]));
  if (argc == 3 && argv[1] == std::string_view("values")) return values(brine::load(argv[2]));
  const auto ckpt = argc > 1 ? brine::load(argv[1]) : brine::Error(brine::ErrorKind::usage, brine::ErrorCode::bad_argument, "kinds_check FILE [OUT]");
  if (!ckpt) return failed(ckpt.error());
  brine::Tree tree;
  const brine::Value dict = tree.dict();
  for (const auto& [tensor, place] : ckpt->tensors()) {
    const std::string path = brine::TensorAt{tensor, place}.path();
    if (argc == 2) std::printf("%s\t%s\n", path.c_str(), told(tensor).c_str());
    else if (auto ok = tree.set(dict, path, tensor); !ok) return failed(ok.error());
  }
  if (argc == 2) return 0;
  brine::SaveOptions options;
  if (argc > 3) options.profile = brine::Profile::torch_1_6;
  const auto saved = brine::save(dict, argv[2], options);
  if (!saved) return failed(saved.error());
  return 0;
}
