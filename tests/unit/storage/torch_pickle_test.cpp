// Pickles that are no state dict, or a hostile one.
#include <gtest/gtest.h>

#include "support/pickled.h"
#include "torch_file.h"

namespace regulus::storage {
namespace {

namespace pickled = test::pickled;
using namespace test;

TEST(TorchPickle, GlobalsAreRefusedByName) {
  using pickled::pickle, pickled::global, pickled::text, pickled::tuple;
  expect_mentions(refusal_of_pickle(pickle(global("os", "system") + tuple(text("true")) + "R")),
                  "uses the global 'os.system'", "byte 2", "state_dict()");
  for (const std::string name : {"eval", "exec", "getattr", "__import__"})
    expect_mentions(refusal_of_pickle(pickle(global("__builtin__", name))), "'__builtin__." + name + "'");
  expect_mentions(refusal_of_pickle(pickle(global("torch._utils", "_rebuild_parameter"))),
                  "_rebuild_parameter");
  expect_mentions(refusal_of_pickle(pickle(global("torch", "ComplexFloatStorage"))), "ComplexFloatStorage");
  expect_mentions(refusal_of_pickle(pickle(global("collections", "OrderedDict.x"))), "OrderedDict.x");
  expect_mentions(refusal_of_pickle(pickle(global("a\x1b[2J", "b"))), "'a?[2J.b'");
}

TEST(TorchPickle, OpcodesAreRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> opcodes{{"i", "INST"},
                                                                 {"o", "OBJ"},
                                                                 {"P", "PERSID"},
                                                                 {"\x81", "NEWOBJ"},
                                                                 {"\x92", "NEWOBJ_EX"},
                                                                 {"\x93", "STACK_GLOBAL"},
                                                                 {"\x82", "EXT1"},
                                                                 {"\x83", "EXT2"},
                                                                 {"\x84", "EXT4"},
                                                                 {"\x95", "FRAME"},
                                                                 {"\x94", "MEMOIZE"},
                                                                 {"\x8c", "SHORT_BINUNICODE"},
                                                                 {"\x8d", "BINUNICODE8"},
                                                                 {"\x8b", "LONG4"},
                                                                 {"]", "EMPTY_LIST"},
                                                                 {"l", "LIST"},
                                                                 {"d", "DICT"},
                                                                 {"a", "APPEND"},
                                                                 {"e", "APPENDS"},
                                                                 {"\x8f", "EMPTY_SET"},
                                                                 {"S", "STRING"},
                                                                 {"T", "BINSTRING"},
                                                                 {"U", "SHORT_BINSTRING"},
                                                                 {"V", "UNICODE"},
                                                                 {"B", "BINBYTES"},
                                                                 {"C", "SHORT_BINBYTES"},
                                                                 {"F", "FLOAT"},
                                                                 {"G", "BINFLOAT"},
                                                                 {"I", "INT"},
                                                                 {"L", "LONG"},
                                                                 {"g", "GET"},
                                                                 {"p", "PUT"},
                                                                 {"0", "POP"},
                                                                 {"1", "POP_MARK"},
                                                                 {"2", "DUP"},
                                                                 {"\x96", "BYTEARRAY8"},
                                                                 {"\xff", "0xff"}};
  for (const auto& [opcode, name] : opcodes)
    expect_mentions(refusal_of_pickle(pickled::pickle("(}" + opcode)), "opcode " + name, "byte 4");
}

TEST(TorchPickle, PicklesThatContradictThemselvesAreRefused) {
  using pickled::pickle, pickled::text;
  expect_mentions(refusal_of_pickle(""), "protocol 2");
  expect_mentions(refusal_of_pickle("}."), "protocol 2");
  expect_mentions(refusal_of_pickle("\x80\x04}."), "protocol 4", "pickle_protocol");
  expect_mentions(refusal_of_pickle("\x80\x02}"), "truncated");
  expect_mentions(refusal_of_pickle("\x80\x02X\xff\xff\xff\xff."), "truncated");
  expect_mentions(refusal_of_pickle("\x80\x02"
                                    "ctorch"),
                  "truncated");
  expect_mentions(refusal_of_pickle(pickle("")), "one value");
  expect_mentions(refusal_of_pickle(pickle("}}")), "one value");
  expect_mentions(refusal_of_pickle(pickle("(}")), "one value");
  expect_mentions(refusal_of_pickle(pickle("}") + "x"), "after its end");
  expect_mentions(refusal_of_pickle(pickle("s")), "not there");
  expect_mentions(refusal_of_pickle(pickle("}(q")), "not there");
  expect_mentions(refusal_of_pickle(pickle("}(s")), "not there");
  expect_mentions(refusal_of_pickle(pickle("t")), "lacks a mark");
  expect_mentions(refusal_of_pickle(pickle("h\x01")), "never remembered");
  expect_mentions(refusal_of_pickle(pickle("}r\xff\xff\xff\xff")), "remembers more");
  expect_mentions(refusal_of_pickle(pickle("\x8a\x09"
                                           "123456789")),
                  "64 bits");
  expect_mentions(refusal_of_pickle(pickle("}(K\x01u")), "key without a value");
  expect_mentions(refusal_of_pickle(pickle("K\x01(u")), "an integer as a dict");
}

TEST(TorchPickle, CallsThatAStateDictDoesNotMakeAreRefused) {
  using pickled::global, pickled::ordered_dict, pickled::pickle, pickled::text, pickled::tuple;
  expect_mentions(refusal_of_pickle(pickle("K\x01)R")), "an integer as a function");
  expect_mentions(refusal_of_pickle(pickle(global("torch", "FloatStorage") + ")R")), "a class as a function");
  expect_mentions(refusal_of_pickle(pickle(global("collections", "OrderedDict") + "}R")),
                  "a dict as the arguments");
  expect_mentions(refusal_of_pickle(pickle(global("collections", "OrderedDict") + "}\x85R")),
                  "from arguments");
  expect_mentions(refusal_of_pickle(pickle(global("torch._utils", "_rebuild_tensor_v2") + ")R")), "0 values");
  expect_mentions(refusal_of_pickle(pickle(ordered_dict() + "}" + text("__class__") + "}sb")), "'__class__'");
  expect_mentions(refusal_of_pickle(pickle("}}b")), "gives a dict attributes");
  expect_mentions(refusal_of_pickle(pickle(ordered_dict() + "K\x01"
                                                            "b")),
                  "attributes");
  expect_mentions(refusal_of_pickle(pickle(tuple(text("module")) + "Q")), "persistent id");
  expect_mentions(refusal_of_pickle(pickle("K\x01Q")), "persistent id");
  pickled::Tensor hooked;
  hooked.hooks = "}" + text("0") + "}s";
  expect_mentions(refusal_of_pickle(pickled::state_dict(hooked)), "hooks");
}

TEST(TorchPickle, WhatIsNoStateDictIsRefused) {
  using pickled::ordered_dict, pickled::pickle, pickled::tensor, pickled::text;
  const std::string nested = pickle("}(" + text("model") + ordered_dict() + text("optimizer") + "}u");
  expect_mentions(refusal_of_pickle(nested), "a dict under 'model'", "torch.save(model.state_dict()",
                  "checkpoint[");
  expect_mentions(refusal_of_pickle(pickle("}" + text("epoch") + "K\x03s")), "an integer under 'epoch'");
  expect_mentions(refusal_of_pickle(pickle(tensor())), "a tensor, not a state dict");
  expect_mentions(refusal_of_pickle(pickle("N")), "None, not a state dict");
  expect_mentions(refusal_of_pickle(pickle("}K\x01" + tensor() + "s")), "not text");
  expect_mentions(refusal_of_pickle(pickle("}" + text("\xff\xfe") + tensor() + "s")), "not text");
  expect_mentions(refusal_of_pickle(pickled::state_dict({}, text("a") + tensor())), "'a' twice");
}

TEST(TorchPickle, TensorsBeyondTheirStorageAreRefused) {
  using pickled::integer, pickled::state_dict, pickled::tuple;
  const auto with = [](const auto& change) {
    pickled::Tensor tensor;
    change(tensor);
    return refusal_of_pickle(state_dict(tensor));
  };
  const std::int64_t huge = std::int64_t{1} << 62;
  expect_mentions(with([&](auto& t) { t.count = huge; }), "'a'", "8 bytes for 4611686018427387904 elements");
  expect_mentions(with([](auto& t) { t.count = 3; }), "8 bytes for 3 elements");
  expect_mentions(with([](auto& t) { t.count = -1; }), "-1 as a storage's size");
  expect_mentions(with([](auto& t) { t.key = "1"; }), "lacks its record data/1");
  expect_mentions(with([](auto& t) { t.key = std::string(1000, 'x'); }), "endless key");
  expect_mentions(with([](auto& t) { t.offset = 1; }), "reaches beyond");
  expect_mentions(with([](auto& t) { t.offset = 2; }), "starts beyond");
  expect_mentions(with([&](auto& t) { t.offset = huge; }), "starts beyond");
  expect_mentions(with([](auto& t) { t.offset = -1; }), "-1 as a tensor's offset");
  expect_mentions(with([](auto& t) { t.shape = tuple(integer(3)); }), "more elements");
  expect_mentions(with([](auto& t) { t.shape = tuple(integer(-1)); }), "-1 as a tensor's shape");
  expect_mentions(with([&](auto& t) { t.strides = tuple(integer(huge)); }), "reaches beyond");
  expect_mentions(with([](auto& t) { t.strides = tuple(integer(-1)); }), "-1 as a tensor's strides");
  expect_mentions(with([](auto& t) { t.strides = ")"; }), "more or fewer strides");
  expect_mentions(with([&](auto& t) {
                    t.shape = tuple(integer(huge) + integer(huge));
                    t.strides = tuple(integer(0) + integer(0));
                  }),
                  "more elements");
  expect_mentions(with([&](auto& t) {
                    t.shape = tuple(integer(0) + integer(huge) + integer(huge));
                    t.strides = tuple(integer(1) + integer(1) + integer(1));
                  }),
                  "more elements");
}

TEST(TorchPickle, ASmallFileCannotAskForMuch) {
  using pickled::integer, pickled::pickle, pickled::tensor, pickled::text, pickled::tuple;
  expect_mentions(refusal_of_pickle(pickle(std::string(2'000'000, '}'))), "more values");
  expect_mentions(refusal_of_pickle(pickle("}q" + std::string(1, '\0') + std::string(3'000'000, 'h'))),
                  "never remembered");
  expect_mentions(refusal_of_pickle(pickle(std::string(200, '('))), "nested deeper");
  std::string recalls;
  for (int i = 0; i < 1'100'000; ++i) recalls += std::string("h\0", 2);
  expect_mentions(refusal_of_pickle(pickle("}" + std::string("q\0", 2) + recalls)), "more values");
  // Tuples of one in each other, dicts that hold themselves: deep, but nothing recurses.
  expect_mentions(refusal_of_pickle(pickle(")" + std::string(1'000'000, '\x85'))),
                  "a tuple, not a state dict");
  expect_mentions(
      refusal_of_pickle(pickle("}" + std::string("q\0", 2) + text("a") + std::string("h\0", 2) + "s")),
      "a dict under 'a'");
  expect_mentions(refusal(checkpoint(pickle("}" + std::string(16'000'000, 'N')))), "data.pkl of");
}

TEST(TorchPickle, ManyTensorsOfOneStorageAreBounded) {
  using pickled::integer, pickled::tensor, pickled::text, pickled::tuple;
  pickled::Tensor large;
  large.count = 1 << 18;
  large.shape = tuple(integer(large.count));
  std::string more;
  for (int i = 0; i < 70; ++i) more += text(std::to_string(i)) + tensor(large);
  const std::string said =
      refusal(checkpoint(pickled::state_dict(large, more), std::string(std::size_t{1} << 20U, '\0')));
  expect_mentions(said, "shares its storage");
}

}  // namespace
}  // namespace regulus::storage
