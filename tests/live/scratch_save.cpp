// SPDX-License-Identifier: MIT
// For test_scratch.py: makes an object by hand and saves it. scratch_save PROFILE CASE OUT; test_scratch.py makes the same ones in Python.
#include <brine/brine.hpp>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

using namespace brine;

namespace {

Tree tree;
std::deque<std::vector<std::byte>> memory;  // what the tensors borrow

/// Bytes that test_scratch.py makes alike: 0, 1, 2 … 250, 0 …; of bools 0 and 1.
std::span<const std::byte> ramp(std::size_t n, DType dtype) {
  auto& bytes = memory.emplace_back(n);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i % (dtype == DType::bool_ ? 2 : 251));
  return bytes;
}

Storage storage(std::size_t elements, DType dtype = DType::float32) {
  return Storage::borrow(ramp(elements * item_size(dtype), dtype), dtype);
}

Tensor tensor(std::vector<std::int64_t> shape, DType dtype = DType::float32) {
  std::size_t elements = 1;
  for (const auto s : shape) elements *= static_cast<std::size_t>(s);
  return Tensor::borrow(ramp(elements * item_size(dtype), dtype), dtype, shape).value();
}

Tensor view(const Storage& s, std::vector<std::int64_t> shape, std::vector<std::int64_t> stride, std::int64_t offset = 0) {
  return Tensor::view(s, s.dtype(), shape, stride, offset).value();
}

void set(const Value& dict, const TreeItem& key, const TreeItem& value) { tree.set(dict, key, value).value(); }

Value numbered(Value dict, int n) {
  for (int i = 0; i < n; ++i) set(dict, "k" + std::to_string(i), i);
  return dict;
}

Value numbers(int n) {
  const Value list = tree.list();
  for (int i = 0; i < n; ++i) tree.append(list, i).value();
  return list;
}

void normalisation(StateDict& s, const std::string& name, std::int64_t size) {
  for (const char* part : {"weight", "bias", "running_mean", "running_var"}) s.insert(name + "." + part, tensor({size}));
  s.insert(name + ".num_batches_tracked", tensor({}, DType::int64));
}

StateDict resnet() {
  StateDict s;
  s.insert("conv1.weight", tensor({4, 3, 7, 7}));
  normalisation(s, "bn1", 4);
  for (const char* block : {"layer1.0", "layer1.1"}) {
    const std::string name = block;
    s.insert(name + ".conv1.weight", tensor({4, 4, 3, 3}));
    normalisation(s, name + ".bn1", 4);
  }
  s.insert("fc.weight", tensor({10, 4}));
  s.insert("fc.bias", tensor({10}));
  for (const char* module : {"", "conv1", "bn1", "relu", "layer1", "layer1.0", "layer1.0.conv1", "layer1.0.bn1", "layer1.1",
                             "layer1.1.conv1", "layer1.1.bn1", "fc"})
    s.set_version(module, std::string(module).ends_with("bn1") ? 2 : 1);
  return s;
}

StateDict sequential() {  // names of one character, as keys and as modules
  StateDict s;
  for (const char* name : {"0.weight", "0.bias", "1.weight", "1.bias"})
    s.insert(name, tensor(std::string(name).ends_with("bias") ? std::vector<std::int64_t>{2} : std::vector<std::int64_t>{2, 2}));
  for (const char* module : {"", "0", "1"}) s.set_version(module, 1);
  return s;
}

StateDict words() {  // parameters of the root that are called as what PyTorch writes itself
  StateDict s;
  for (const char* name : {"version", "storage", "cpu", "w", "conj"}) s.insert(name, tensor({2}));
  s.set_version("", 1);
  return s;
}

Value tied() {
  const Storage s = storage(6);
  const Value d = tree.dict();
  set(d, "encoder.weight", view(s, {2, 3}, {3, 1}));
  set(d, "decoder.weight", view(s, {2, 3}, {3, 1}));
  const Tensor once = tensor({3});
  set(d, "a", once), set(d, "b", once);
  return d;
}

Value views() {
  const Storage s = storage(24), longs = storage(8, DType::int64);
  return tree.list({view(s, {4, 6}, {6, 1}), view(s, {6, 4}, {1, 6}), view(s, {2}, {6}, 7), view(s, {3, 4}, {0, 1}, 2), view(s, {}, {}, 23),
                    view(s, {0, 6}, {6, 1}, 12), view(longs, {4}, {2}, 1)});
}

Value adam() {
  const Value state = tree.dict(), group = tree.dict(), optimizer = tree.dict(), root = tree.dict();
  for (int i = 0; i < 2; ++i) {
    const Value one = tree.dict();
    set(one, "step", tensor({}));
    set(one, "exp_avg", tensor({2, 2}));
    set(one, "exp_avg_sq", tensor({2, 2}));
    set(state, i, one);
  }
  set(group, "lr", 0.001);
  set(group, "betas", tree.tuple({0.9, 0.999}));
  set(group, "eps", 1e-08);
  set(group, "weight_decay", 0);
  set(group, "amsgrad", false);
  set(group, "foreach", nullptr);
  set(group, "params", tree.list({0, 1}));
  set(optimizer, "state", state);
  set(optimizer, "param_groups", tree.list({group}));
  set(root, "epoch", 3);
  set(root, "global_step", 123456);
  set(root, "state_dict", tree.state_dict(sequential()).value());
  set(root, "optimizer", optimizer);
  set(root, "best", 0.75);
  set(root, "arch", "resnet-18 (own)");
  set(root, "log", tree.list({"epoch", "state_dict", "lr", "0", ""}));
  return root;
}

Value keys() {
  const Value d = tree.dict();
  for (const char* key : {"", "a", "é", "ÿ", "Ā", "größe", "重み", "🙂", "with space", "0", "under_score"}) set(d, key, key);
  set(d, 0, 1), set(d, 1.5, 2), set(d, nullptr, 3), set(d, true, 4), set(d, tree.tuple({1, "a"}), 5);
  set(d, tree.bytes(std::as_bytes(std::span("xyz", 3))), 6);
  set(d, "a", "again");  // keeps its place
  return d;
}

Value ints() {
  const Value list = tree.list();
  const auto add = [&](const TreeItem& item) { tree.append(list, item).value(); };
  for (const std::int64_t v :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{255}, std::int64_t{256}, std::int64_t{65535}, std::int64_t{65536}})
    add(v), add(-v);
  for (const int bits : {7, 8, 15, 16, 23, 24, 31, 32, 39, 40, 47, 48, 55, 56, 62})
    for (const int more : {-1, 0, 1}) add((std::int64_t{1} << bits) + more), add(-(std::int64_t{1} << bits) + more);
  add(std::numeric_limits<std::int64_t>::max()), add(std::numeric_limits<std::int64_t>::min());
  for (const char* big :
       {"9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "-18446744073709551616",
        "170141183460469231731687303715884105727", "170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"})
    add(tree.big_int(big));
  add(tree.big_int("1" + std::string(700, '0')));  // LONG4
  add(tree.big_int("42"));
  return list;
}

Value scalars() {
  const double inf = std::numeric_limits<double>::infinity();
  const auto bytes = [](std::size_t n) { return tree.bytes(ramp(n, DType::uint8)); };
  return tree.tuple({nullptr,
                     true,
                     false,
                     0.0,
                     -0.0,
                     1.5,
                     0.1f,
                     inf,
                     -inf,
                     std::numeric_limits<double>::quiet_NaN(),
                     5e-324,
                     1.7976931348623157e308,
                     tree.complex(1.5, -0.0),
                     bytes(0),
                     bytes(1),
                     bytes(255),
                     bytes(256),
                     tree.size({}),
                     tree.size({2, 3, 70000}),
                     tree.dtype(DType::float32),
                     tree.dtype(DType::int64),
                     tree.dtype(DType::float32),
                     std::string(255, 'x') + "-",
                     std::string(70000, 'y') + "-",
                     tree.tuple({}),
                     tree.tuple({1}),
                     tree.tuple({1, 2, 3, 4}),
                     tree.list(),
                     tree.dict(),
                     tree.ordered_dict(),
                     tree.set({}),
                     tree.set({1, 2, 3}),
                     tree.complex(0, 0)});
}

Value parameters() {
  const Tensor shared = tensor({3});
  const Value p = tree.parameter(shared), frozen = tree.parameter(tensor({2, 2}), false), d = tree.dict();
  set(d, "p", p), set(d, "again", p), set(d, "frozen", frozen), set(d, "data", shared);
  return d;
}

template <class T>
Tensor of(std::initializer_list<T> values, Shape shape) { return Tensor::copy(std::span<const T>(values.begin(), values.size()), shape).value(); }

Value quantised() {
  const Value d = tree.dict();
  const Tensor whole = make_per_tensor_quantized_tensor(tensor({2, 3}, DType::uint8), 0.1, 3).value();
  set(d, "whole", whole), set(d, "again", whole), set(d, "other", make_per_tensor_quantized_tensor(tensor({4}, DType::int8), 0.25, -1).value());
  const Tensor scales = of<double>({0.5, 0.25}, {2}), zeros = of<std::int64_t>({0, 1}, {2});
  for (const char* name : {"channels", "more channels"}) set(d, name, make_per_channel_quantized_tensor(tensor({2, 3}, DType::int8), scales, zeros, 0).value());
  set(d, "tensor", tensor({2}));
  return d;
}

Value sparse() {
  const Value d = tree.dict();
  const Tensor indices = of<std::int64_t>({0, 2, 1, 1}, {2, 2}), values = tensor({2}), rows = of<std::int64_t>({0, 1, 2}, {3}), columns = of<std::int64_t>({1, 0}, {2});
  const Tensor coo = sparse_coo_tensor(indices, values, {3, 2}).value();
  set(d, "coo", coo), set(d, "again", coo), set(d, "indices", indices), set(d, "larger", sparse_coo_tensor(indices, values, {4, 4}).value());
  for (const char* name : {"csr", "another"}) set(d, name, sparse_compressed_tensor(rows, columns, values, {2, 2}, Layout::sparse_csr).value());
  set(d, "size", tree.size({3, 2}));
  return d;
}

Value identity() {
  const Value list = tree.list({1}), tuple = tree.tuple({list, "x y"}), dict = tree.dict(), text = tree.value("not an identifier"),
              recursive = tree.list();
  set(dict, "self", dict);
  tree.append(recursive, tree.tuple({recursive, 1})).value();
  return tree.list(
      {list, list, tuple, tuple, dict, text, text, "word", "word", tree.bytes(ramp(3, DType::uint8)), recursive, tree.tuple({recursive})});
}

Value empties() {
  return tree.list(
      {tensor({0}), tensor({}), tensor({2, 0, 3}), tensor({0, 2}), tensor({}, DType::bool_), tensor({1, 1, 1}), tensor({0}, DType::int64)});
}

std::map<std::string, std::function<Value()>> cases() {
  std::map<std::string, std::function<Value()>> all{{"tied", tied},
                                                    {"views", views},
                                                    {"adam", adam},
                                                    {"keys", keys},
                                                    {"ints", ints},
                                                    {"scalars", scalars},
                                                    {"parameters", parameters},
                                                    {"quantised", quantised},
                                                    {"sparse", sparse},
                                                    {"identity", identity},
                                                    {"empties", empties},
                                                    {"compact",
                                                     [] {
                                                       const Storage s = storage(100);
                                                       return tree.list({view(s, {10}, {1}, 20), view(s, {5, 2}, {1, 5}, 20)});
                                                     }},
                                                    {"tensor", [] { return tree.value(tensor({2})); }},
                                                    {"nested",
                                                     [] {
                                                       Value v = tree.list();
                                                       for (int i = 0; i < 400; ++i) v = tree.list({v});
                                                       return v;
                                                     }},
                                                    {"resnet-in-tree", [] {
                                                       const Value d = tree.dict();
                                                       set(d, "state_dict", tree.state_dict(resnet()).value());
                                                       set(d, "version", 1);
                                                       return d;
                                                     }}};
  for (const int n : {0, 1, 2, 255, 256, 257, 999, 1000, 1001, 1999, 2000, 2001, 3000}) {
    const std::string size = std::to_string(n);
    all["list-" + size] = [n] { return numbers(n); };
    all["dict-" + size] = [n] { return numbered(tree.dict(), n); };
    all["ordered-" + size] = [n] { return numbered(tree.ordered_dict(), n); };
    all["tensors-" + size] = [n] {
      const Value d = tree.dict();
      for (int i = 0; i < n; ++i) set(d, "t." + std::to_string(i), tensor({1}));
      return d;
    };
  }
  return all;
}

Result<void> make(const std::string& what, const std::string& out, const SaveOptions& options) {
  if (what == "resnet") return save(resnet(), out, options);
  if (what == "sequential") return save(sequential(), out, options);
  if (what == "words") return save(words(), out, options);
  if (what == "no-metadata") {
    StateDict s;
    s.insert("w", tensor({2}));
    s.insert("w.1", tensor({2}));
    return save(s, out, options);
  }
  if (what.starts_with("dtype-")) {
    const DType dtype = dtype_from_name(what.substr(6)).value();
    const Value d = tree.dict();
    set(d, "full", tensor({2, 3}, dtype)), set(d, "scalar", tensor({}, dtype)), set(d, "empty", tensor({0, 4}, dtype));
    set(d, "strided", view(storage(8, dtype), {3}, {2}, 1)), set(d, "dtype", tree.dtype(dtype));
    return save(d, out, options);
  }
  return save(cases().at(what)(), out, options);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  SaveOptions options;
  options.profile = std::strcmp(argv[1], "torch-1.6") == 0   ? Profile::torch_1_6
                    : std::strcmp(argv[1], "torch-2.1") == 0 ? Profile::torch_2_1
                                                             : Profile::torch_2_7;
  options.compact = std::strcmp(argv[2], "compact") == 0;
  const auto done = make(argv[2], argv[3], options);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return done ? 0 : 1;
}
