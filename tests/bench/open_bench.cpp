// SPDX-License-Identifier: MIT
// One measurement of one file, for bench.py, which runs it in a fresh process each time: open_bench WHAT FILE prints "name value" lines,
// times in milliseconds.
//
//   open    load, state_dict, and a list of every tensor (name, dtype, shape, data pointer); what memory that keeps
//   floor   what opening cannot do without: the checked zip directory, the CRC of data.pkl, a walk over its opcodes
//   first   open, one tensor by name, and a touch of each of its cache lines
//   copy    every tensor into one warm buffer, beside a pread of the file into another
//   verify  the CRC of every storage, beside one CRC over the mapped file
#include <brine/brine.hpp>

#include "archive/zip_directory.hpp"
#include "pickle/scanner.hpp"

#include <libdeflate.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

/// Time this process has had a processor, in milliseconds: on a busy machine much less than has passed.
double cpu() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

class Stopwatch {
 public:
  /// Prints the time since the last lap, and gives it.
  double lap(const char* name) {
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
    std::printf("%s %.6f\n", name, ms);
    start_ = Clock::now();
    return ms;
  }

 private:
  Clock::time_point start_ = Clock::now();
};

template <class T>
T need(brine::Result<T> result) {
  if (result) {
    if constexpr (std::is_void_v<T>) return;
    else return std::move(*result);
  }
  std::fprintf(stderr, "open_bench: %s\n", result.error().message().c_str());
  std::exit(1);
}

/// Anonymous memory of this process in kB: pages of the mapped file do not count.
long anonymous_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::atol(line.c_str() + 8);
  return 0;
}

/// Uses every fact of a listing, so that none is optimised away.
std::uint64_t list(const brine::StateDict& weights) {
  std::uint64_t sum = 0;
  for (const auto& [name, tensor] : weights) {
    sum += name.size() + static_cast<std::uint64_t>(tensor.dtype());
    for (const std::int64_t size : tensor.shape()) sum += static_cast<std::uint64_t>(size);
    if (const auto bytes = tensor.data_bytes()) sum += reinterpret_cast<std::uintptr_t>(bytes->data());
  }
  return sum;
}

volatile std::uint64_t used;

void measure_open(const char* path) {
  const long before = anonymous_kb();
  const auto begin = Clock::now();
  const double cpu_before = cpu();
  Stopwatch watch;
  const auto source = need(brine::Source::file(path));
  const auto checkpoint = need(brine::load(source));
  watch.lap("load");
  const auto weights = need(checkpoint.state_dict());
  watch.lap("state_dict");
  used = list(weights);
  watch.lap("list");
  const double cpu_after = cpu();
  std::printf("total %.6f\n", std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  std::printf("cpu %.6f\n", cpu_after - cpu_before);

  std::printf("kept_kb %ld\n", anonymous_kb() - before);
  std::size_t copied = 0;
  const auto file = source.view();
  for (const auto& [name, tensor] : weights) {
    const auto bytes = need(tensor.data_bytes());
    copied += !bytes.empty() && (bytes.data() < file.data() || bytes.data() + bytes.size() > file.data() + file.size());
  }
  std::printf("tensors %zu\ncopied %zu\n", weights.size(), copied);
  std::printf("pickle_bytes %llu\nmetadata_bytes %llu\n", static_cast<unsigned long long>(checkpoint.pickle_bytes()),
              static_cast<unsigned long long>(checkpoint.metadata_bytes()));
}

void measure_floor(const char* path) {
  Stopwatch watch;
  const auto source = need(brine::Source::file(path));
  watch.lap("map");
  const auto directory = need(brine::ZipDirectory::read(source, {}));
  watch.lap("directory");
  const auto* entry = directory.find_record("data.pkl");
  if (entry == nullptr) std::exit(1);
  const auto pickle = source.view().subspan(static_cast<std::size_t>(entry->data_offset), static_cast<std::size_t>(entry->size));
  used = libdeflate_crc32(0, pickle.data(), pickle.size());
  watch.lap("pickle_crc");
  brine::Scanner scanner(pickle);
  brine::Scanned instruction{};
  std::uint64_t count = 0;
  for (; scanner.next(instruction) && instruction.op != brine::Op::STOP; ++count) used = instruction.number;
  watch.lap("opcodes");
  std::printf("opcode_count %llu\nrecords %zu\n", static_cast<unsigned long long>(count), directory.entries().size());
}

void measure_first(const char* path) {
  Stopwatch watch;
  const auto weights = need(need(brine::load(path)).state_dict());
  const auto& middle = *std::next(weights.begin(), static_cast<std::ptrdiff_t>(weights.size() / 2));
  const auto bytes = need(need(weights.at(middle.name)).data_bytes());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 64) sum += std::to_integer<std::uint64_t>(bytes[i]);
  used = sum;
  watch.lap("total");
}

std::unique_ptr<std::byte[]> warm_buffer(std::size_t size) {
  auto buffer = std::make_unique_for_overwrite<std::byte[]>(size);
  std::memset(buffer.get(), 1, size);
  return buffer;
}

void measure_copy(const char* path) {
  const auto weights = need(need(brine::load(path)).state_dict());
  std::size_t size = 0;
  for (const auto& [name, tensor] : weights) size += static_cast<std::size_t>(tensor.nbytes());
  const auto buffer = warm_buffer(size);
  Stopwatch watch;
  std::byte* to = buffer.get();
  for (const auto& [name, tensor] : weights) {
    need(tensor.copy_to({to, static_cast<std::size_t>(tensor.nbytes())}));
    to += tensor.nbytes();
  }
  const double first = watch.lap("total");
  std::printf("gb_per_s %.3f\n", static_cast<double>(size) / first / 1e6);

  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  const auto file_size = static_cast<std::size_t>(::lseek(file, 0, SEEK_END));
  const auto other = warm_buffer(file_size);
  watch = {};
  for (std::size_t done = 0; done < file_size;) {
    const ssize_t n = ::pread(file, other.get() + done, file_size - done, static_cast<off_t>(done));
    if (n <= 0) std::exit(1);
    done += static_cast<std::size_t>(n);
  }
  watch.lap("pread");
  ::close(file);
}

void measure_verify(const char* path) {
  const auto source = need(brine::Source::file(path));
  const auto weights = need(need(brine::load(source)).state_dict());
  Stopwatch watch;
  for (const auto& [name, tensor] : weights)
    if (!need(tensor.storage().verify_crc())) std::exit(1);
  watch.lap("total");
  const auto again = need(brine::Source::file(path));  // a mapping of its own: its pages are not touched yet either
  watch = {};
  used = libdeflate_crc32(0, again.view().data(), again.view().size());
  watch.lap("crc");
}

}  // namespace

int main(int argc, char** argv) {
  constexpr struct {
    const char* name;
    void (*measure)(const char* path);
  } kinds[] = {{"open", measure_open}, {"floor", measure_floor}, {"first", measure_first}, {"copy", measure_copy}, {"verify", measure_verify}};
  for (const auto& kind : kinds) {
    if (argc != 3 || std::strcmp(argv[1], kind.name) != 0) continue;
    kind.measure(argv[2]);
    return 0;
  }
  std::fputs("usage: open_bench open|floor|first|copy|verify FILE\n", stderr);
  return 2;
}
