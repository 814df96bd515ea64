// SPDX-License-Identifier: MIT
// The front door: what a file is, each limit just under and just over, every kind of source gives the same, memory that runs out, notes.
#include "support/temporary_file.hpp"
#include "support/torch_file.hpp"

#include <thread>

using namespace brine;
using namespace brine::test;

namespace {

Pickle two_vectors() { return Pickle(2).ordered_dict().mark().str("a").vector("0", 3).str("b").vector("1", 2).op(Op::SETITEMS); }
const std::vector<StorageData> kTwo = {{"0", counting(3)}, {"1", counting(2)}};

/// Loads with one limit at `fits` and fails with it at one less.
template <class Set>
void just(const std::string& file, std::uint64_t fits, ErrorCode code, Set&& set) {
  LoadOptions options;
  set(options.limits, fits);
  const auto loaded = load(source_over(file), options);
  CHECK_MESSAGE(loaded.has_value(), (loaded ? std::string() : loaded.error().message()));
  set(options.limits, fits - 1);
  check_load(file, ErrorKind::limit, code, options);
}

}  // namespace

TEST_CASE("a zip: listing, format, ends") {
  const std::string file = torch_zip(two_vectors(), kTwo);
  const Checkpoint ckpt = open_file(file);
  CHECK(tensor_list(ckpt) == "a float32 [3 ]\nb float32 [2 ]\n");
  CHECK(name(ckpt.format()) == "zip");
  CHECK(ckpt.protocol() == 2);
  CHECK(ckpt.file() == "m.pth");
  CHECK(ckpt.end_offset() == file.size());
  CHECK(ckpt.pickle_bytes() == two_vectors().bytes().size());
  CHECK(ckpt.notes().empty());
  CHECK(ckpt.print().starts_with("OrderedDict (2)\n  'a': Tensor float32 [3]"));
}

TEST_CASE("every kind of source gives the same: mapped, plain, memory, callback, behind other bytes") {
  TemporaryFile on_disk;
  const std::string file = torch_zip(two_vectors(), kTwo, {.deflate = true});
  on_disk.write(file);
  LoadOptions plain, behind;
  plain.file_mode = FileMode::plain;
  behind.offset = 5;
  const Result<Checkpoint> all[] = {load(on_disk.path()),
                                    load(on_disk.path(), plain),
                                    load(source_over(file)),
                                    load(callback_over(file)),
                                    load(source_over("junk!" + file), behind),
                                    load(callback_over("junk!" + file), behind)};
  for (const auto& loaded : all) {
    if (!loaded) FAIL(loaded.error().message());
    CHECK(tensor_list(*loaded) == "a float32 [3 ]\nb float32 [2 ]\n");
    CHECK(floats(tensor_under(*loaded, "a")) == "0 1 2");
    CHECK(tensor_under(*loaded, "b").data<float>().value()[1] == 1.0F);
    CHECK(loaded->state_dict().value().size() == 2);
  }
  CHECK(all[4]->end_offset() == file.size() + 5);
}

TEST_CASE("what cannot be opened or is not a checkpoint") {
  check_code(load(std::filesystem::path("no/such/file")), ErrorKind::io, ErrorCode::open_failed);
  check_load("", ErrorKind::not_a_checkpoint, ErrorCode::empty_file);
  check_load("hello, this is text", ErrorKind::not_a_checkpoint, ErrorCode::other_format);
  check_load(Pickle(2).empty_dict().bytes(), ErrorKind::unsupported, ErrorCode::other_format);
  LoadOptions behind;
  behind.offset = 1000;
  check_load("short", ErrorKind::usage, ErrorCode::out_of_range, behind);
  const std::string file = torch_zip(two_vectors(), kTwo);
  const auto broken = load(Source::callback(file.size(), [&](std::uint64_t offset, std::span<std::byte> out) {
    std::copy_n(reinterpret_cast<const std::byte*>(file.data()) + offset, out.size(), out.data());
    return offset < file.size() / 2 || offset + out.size() == file.size();
  }));
  CHECK_FALSE(broken);
  CHECK(broken.error().kind() == ErrorKind::io);
  CHECK(broken.error().code() == ErrorCode::read_failed);
}

TEST_CASE("zips that torch.save does not write") {
  const auto without_pickle = [] {
    ZipBuilder zip;
    zip.torch("archive/version", "3\n");
    return zip.lay_out().bytes();
  };
  check_load(without_pickle(), ErrorKind::not_a_checkpoint, ErrorCode::record_missing);
  const auto with = [](const std::string& record) {
    ZipBuilder zip;
    zip.torch("archive/data.pkl", Pickle(2).none().bytes());
    zip.torch("archive/version", "3\n");
    zip.torch("archive/" + record, "x");
    return zip.lay_out().bytes();
  };
  check_load(with("constants.pkl"), ErrorKind::unsupported, ErrorCode::other_format);
  CHECK(load(source_over(with("more"))));
  check_load(torch_zip(two_vectors(), kTwo, {.version = ""}), ErrorKind::corrupt, ErrorCode::record_missing);
  check_load(torch_zip(two_vectors(), kTwo, {.version = "x"}), ErrorKind::corrupt, ErrorCode::format_version);
  for (const auto version : {"0", "11", "-1"})
    check_load(torch_zip(two_vectors(), kTwo, {.version = version}), ErrorKind::unsupported, ErrorCode::format_version);
  CHECK(open_file(torch_zip(two_vectors(), kTwo, {.version = "10"})).tensors().size() == 2);
  CHECK(open_file(torch_zip(two_vectors(), kTwo, {.byteorder = ""})).tensors().size() == 2);
  const Error order = check_load(torch_zip(two_vectors(), kTwo, {.byteorder = "middle"}), ErrorKind::corrupt, ErrorCode::byte_order);
  CHECK(order.place().record == "archive/byteorder");
}

TEST_CASE("storages and their records") {
  const Error missing = check_load(torch_zip(two_vectors(), {{"0", counting(3)}}), ErrorKind::corrupt, ErrorCode::record_missing);
  CHECK(missing.place().record == "archive/data/1");
  check_load(torch_zip(two_vectors(), {{"0", counting(3)}, {"1", counting(1)}}), ErrorKind::corrupt, ErrorCode::storage_size);
  check_load(torch_zip(two_vectors(), {{"0", counting(3)}, {"1", counting(3)}}), ErrorKind::corrupt, ErrorCode::storage_size);
  CHECK(root_tensor(open_file(torch_zip(Pickle(2).vector("0", 0), {}))).numel() == 0);
  const Checkpoint cuda = open_zip(Pickle(2).vector("0", 3), {{"0", elements<std::int64_t>({3}) + counting(3)}});  // PyTorch 1.6.0
  CHECK(floats(root_tensor(cuda)) == "0 1 2");
  REQUIRE(cuda.notes().size() == 1);
  CHECK(cuda.notes()[0].code == Note::Code::size_prefix);
  check_load(torch_zip(Pickle(2).vector("0", 3), {{"0", elements<std::int64_t>({4}) + counting(3)}}), ErrorKind::corrupt,
             ErrorCode::storage_size);
}

#if BRINE_HAVE_LIBZIP
TEST_CASE("a deflated pickle costs what its packed bytes may cost") {
  Pickle small(2), large(2);
  small.mark(), large.mark();
  for (int i = 0; i < 100'000; ++i) small.none();
  for (int i = 0; i < 10'000'000; ++i) large.none();
  small.tuple(), large.tuple();
  const std::string file = torch_zip(small, {}, {.deflate_pickle = true});
  const Checkpoint ckpt = open_file(file);
  CHECK(ckpt.root().size() == 100'000);
  CHECK(ckpt.pickle_bytes() == small.bytes().size());
  check_load(torch_zip(large, {}, {.deflate_pickle = true}), ErrorKind::limit, ErrorCode::pickle_too_large);
  LoadOptions options;
  options.limits.pickle_ratio = 1032;
  check_load(torch_zip(large, {}, {.deflate_pickle = true}), ErrorKind::limit, ErrorCode::metadata_too_large, options);
  options.limits.metadata_factor = 10'000;
  CHECK(load(source_over(torch_zip(large, {}, {.deflate_pickle = true})), options));
  CHECK(load(source_over(torch_zip(large, {}))));
}
#endif

TEST_CASE("the place of an error: file, record, byte, opcode") {
  const Pickle before = Pickle(2).none().none();
  const Error error = check_load(torch_zip(before, {}), ErrorKind::corrupt, ErrorCode::pickle_leftover);
  CHECK(error.message().starts_with("m.pth: archive/data.pkl, byte 4, STOP: "));
  const std::string whole = Pickle(2).none().bytes();
  const Error trailing = check_load(torch_zip(Pickle(2).none().raw(".more"), {}), ErrorKind::corrupt, ErrorCode::pickle_trailing);
  CHECK(trailing.place().offset == whole.size());
}

TEST_CASE("limits: each just under passes, just over fails") {
  const std::string file = torch_zip(two_vectors(), kTwo), packed = torch_zip(two_vectors(), kTwo, {.deflate = true});
  just(file, 5, ErrorCode::too_many_records, [](Limits& l, std::uint64_t n) { l.records = n; });
  just(file, two_vectors().bytes().size(), ErrorCode::pickle_too_large, [](Limits& l, std::uint64_t n) { l.pickle_bytes = n; });
  const std::uint64_t used = open_file(file).metadata_bytes();
  LoadOptions tight;
  tight.limits.metadata_factor = 0;
  tight.limits.metadata_base = used;
  CHECK(load(source_over(file), tight));
  tight.limits.metadata_base = 2000;
  check_load(file, ErrorKind::limit, ErrorCode::metadata_too_large, tight);
  just(torch_zip(Pickle(2).tensor({.numel = 1, .size = {1, 1, 1}, .stride = {1, 1, 1}}), {{"0", counting(1)}}), 3,
       ErrorCode::too_many_dimensions, [](Limits& l, std::uint64_t n) { l.dimensions = n; });

  LoadOptions options;  // inflated bytes: of storages, when they are used
  options.limits.inflated_bytes = 20;
  const Checkpoint ckpt = open_file(packed, options);
  CHECK(tensor_under(ckpt, "a").data<float>());
  CHECK(tensor_under(ckpt, "b").data<float>());
  options.limits.inflated_bytes = 19;
  const Checkpoint less = open_file(packed, options);
  CHECK(tensor_under(less, "a").data<float>());
  check_code(tensor_under(less, "b").data<float>(), ErrorKind::limit, ErrorCode::inflated_too_large);
  CHECK(tensor_under(less, "b").item<float>().error().code() == ErrorCode::does_not_fit);
  CHECK(floats(tensor_under(less, "b")) == "0 1");  // copies keep nothing
}

TEST_CASE("verify_crc: damage of a storage is seen on request") {
  std::string file = torch_zip(two_vectors(), kTwo);
  const auto at = static_cast<std::size_t>(tensor_under(open_file(file), "b").storage().location()->offset);
  file[at] = 'X';
  LoadOptions verify;
  verify.verify_crc = true;
  CHECK(load(source_over(file)));
  check_load(file, ErrorKind::corrupt, ErrorCode::zip_crc, verify);
  check_code(tensor_under(open_file(file), "b").storage().verify_crc(), ErrorKind::corrupt, ErrorCode::zip_crc);
  CHECK(load(source_over(torch_zip(two_vectors(), kTwo)), verify));
}

TEST_CASE("weights_only is an option of load; there is no second path") {
  LoadOptions strict;
  strict.weights_only = true;
  CHECK(load(source_over(torch_zip(two_vectors(), kTwo)), strict));
  const Error refused = check_load(torch_zip(Pickle(2).global("my", "Net").empty_tuple().op(Op::NEWOBJ), {}), ErrorKind::forbidden,
                                   ErrorCode::global_not_allowed, strict);
  CHECK(refused.place().record == "archive/data.pkl");
}

TEST_CASE("notes: of the pickle, with their record; no more than a hundred") {
  Pickle p(2);
  p.empty_dict().mark();
  for (int i = 0; i < 300; ++i) p.str("same").integer(i);
  const Checkpoint ckpt = open_zip(p.op(Op::SETITEMS), {});
  CHECK(ckpt.notes().size() == 101);
  CHECK(ckpt.notes()[0].code == Note::Code::duplicate_key);
  CHECK(ckpt.notes()[0].place.record == "archive/data.pkl");
  CHECK(name(ckpt.notes()[100].code) == "more_notes");
}

TEST_CASE("eight threads read one checkpoint") {
  const Checkpoint ckpt = open_zip(two_vectors(), kTwo, {.deflate = true});
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n)
        if (floats(tensor_under(ckpt, "a")) == "0 1 2" && tensor_under(ckpt, "b").data<float>() && ckpt.state_dict() &&
            ckpt.tensors().size() == 2)
          ++good;
    });
  for (auto& thread : threads) thread.join();
  CHECK(good == 400);
}
