// SPDX-License-Identifier: MIT
// engine NETWORK WEIGHTS.pth INPUT OUTPUT: runs one picture through a network.
//
// INPUT is a tensor [3, H, W] or [1, 3, H, W] saved by torch.save (a name that ends in .pth), or a square one as raw float32. OUTPUT gets
// the scores, in the same two ways.
#include "networks.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace {

using engine::Map;

bool is_checkpoint(const std::string& path) { return path.ends_with(".pth"); }

Map read_tensor(const std::string& path) {
  const brine::Checkpoint ckpt = brine::load(path).value();
  const brine::Tensor tensor = ckpt.root().as_tensor().value();
  auto shape = tensor.shape();
  if (shape.size() == 4 && shape[0] == 1) shape = shape.subspan(1);
  if (shape.size() != 3 || shape[0] != 3 || shape[1] > 16384 || shape[2] > 16384) {
    throw std::runtime_error(path + ": a picture is [3, H, W] or [1, 3, H, W]");
  }
  Map map(3, static_cast<int>(shape[1]), static_cast<int>(shape[2]));
  tensor.copy_to(brine::DType::float32, std::as_writable_bytes(std::span(map.values))).value();
  return map;
}

Map read_raw(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error(path + ": cannot be opened");
  const std::streamoff size = file.tellg();
  constexpr std::streamoff pixel = 3 * sizeof(float), largest = pixel << 28;
  const int side = size > 0 && size <= largest ? static_cast<int>(std::lround(std::sqrt(static_cast<double>(size / pixel)))) : 0;
  Map map(3, side, side);
  const auto bytes = std::as_writable_bytes(std::span(map.values));
  if (side == 0 || static_cast<std::size_t>(size) != bytes.size()) throw std::runtime_error(path + ": no square picture of three channels");
  file.seekg(0);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), size)) throw std::runtime_error(path + ": cannot be read");
  return map;
}

void write(const std::string& path, std::span<const float> scores) {
  if (is_checkpoint(path)) {
    brine::Tree tree;
    const auto tensor = brine::Tensor::borrow(scores, {static_cast<std::int64_t>(scores.size())}).value();
    brine::save(tree.value(tensor), path).value();
    return;
  }
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(scores.data()), static_cast<std::streamsize>(scores.size_bytes()));
  if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void run(const std::string& name, const std::string& weights_path, const std::string& in, const std::string& out) {
  auto start = std::chrono::steady_clock::now();
  engine::Weights weights(weights_path);
  const auto network = engine::make_network(name, weights);
  std::printf("%s: %.1f ms to open; %zu bytes of weights used in place, %zu copied\n", name.c_str(), milliseconds_since(start),
              weights.bytes_in_place(), weights.bytes_copied());

  Map picture = is_checkpoint(in) ? read_tensor(in) : read_raw(in);
  start = std::chrono::steady_clock::now();
  const Map scores = (*network)(std::move(picture));
  std::printf("%.0f ms to run\n", milliseconds_since(start));
  write(out, scores.values);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s NETWORK WEIGHTS.pth INPUT OUTPUT\nnetworks: %s\n", argv[0], engine::network_names.data());
    return 2;
  }
  try {
    run(argv[1], argv[2], argv[3], argv[4]);
    return 0;
  } catch (const std::exception& e) {  // brine::Exception says which file, and where in it
    std::fprintf(stderr, "engine: %s\n", e.what());
    return 1;
  }
}
