// Writes the seed inputs of every fuzz target to DIR/TARGET/: small valid files, by our own writers where
// there are any, from which the fuzzer starts.
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "regulus/backbone/config.h"
#include "regulus/data/network.h"
#include "regulus/data/vocabulary.h"
#include "regulus/storage/torch_checkpoint.h"
#include "support/pickled.h"

namespace {

using namespace regulus;
namespace pickled = test::pickled;
using storage::DType;

class Seeds {
 public:
  Seeds(const std::filesystem::path& root, const std::string& target) : folder_(root / target) {
    std::filesystem::create_directories(folder_);
  }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  void add(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

 private:
  std::filesystem::path folder_;
};

std::map<std::string, storage::TensorView> tensors() {
  return {{"weight", {DType::F32, {2, 1}, std::vector<std::byte>(8)}},
          {"bias", {DType::F64, {2}, std::vector<std::byte>(16)}},
          {"half", {DType::BF16, {1}, std::vector<std::byte>(2)}},
          {"num_batches_tracked", {DType::I64, {}, std::vector<std::byte>(8)}},
          {"none", {DType::U8, {0, 3}, {}}}};
}

/// Pickles for the storages of torch_pickle_fuzz.cpp: 8 bytes under 0, 48 under 1, none under 2.
void add_pickles(const Seeds& seeds) {
  using pickled::integer, pickled::text, pickled::tuple;
  pickled::Tensor matrix{.key = "1", .location = "cuda:0", .count = 12};
  matrix.shape = tuple(integer(3) + integer(2));
  matrix.strides = tuple(integer(1) + integer(3));
  matrix.offset = 1;
  const pickled::Tensor scalar{.storage_class = "LongStorage", .count = 1, .shape = ")", .strides = ")"};
  const pickled::Tensor none{.storage_class = "ByteStorage",
                             .key = "2",
                             .count = 0,
                             .shape = tuple(integer(0)),
                             .strides = tuple(integer(1))};
  seeds.add("one", pickled::state_dict());
  seeds.add("more", pickled::state_dict(
                        matrix, text("b") + pickled::tensor(scalar) + text("c") + pickled::tensor(none)));
  seeds.add("metadata", pickled::pickle(pickled::ordered_dict() + "q" + std::string(1, '\0') + "}" +
                                        text("_metadata") + "h" + std::string(1, '\0') + "sb"));
  seeds.add("nested", pickled::pickle("}" + text("model") + "}" + text("lr") +
                                      "K\x01"
                                      "M\x01\x01"
                                      "J\x01\x01\x01\x01"
                                      "sss"));
  seeds.add("tuples", pickled::pickle("}N\x88\x89\x85\x86\x87r\x01\x02" + std::string(2, '\0') + "j\x01\x02" +
                                      std::string(2, '\0')));
}

std::string gzipped(const std::string& text) {
  std::ostringstream out;
  boost::iostreams::filtering_ostream stream;
  stream.push(boost::iostreams::gzip_compressor());
  stream.push(out);
  stream << text;
  boost::iostreams::close(stream);
  return out.str();
}

void add_tables(const Seeds& expression, const Seeds& network) {
  const std::string table = "gene,cell_1,cell_2\nGATA1,0,1.5\nSPI1,2e1,0\n";
  expression.add("plain", table);
  expression.add("gzip", gzipped(table));
  expression.add("cells", "\xEF\xBB\xBF,\"GATA1\",\"SP\"\"I1\"\r\nACGTACGTACGT-1, 1 ,0.25\r\n\r\n");
  expression.add("cornerless", "c1,c2\nTP53,1,2\nMYC,3,1e-400\n");
  const std::string edges = "Gene1,Gene2,score\nGATA1,SPI1,1\nSPI1,SPI1,2\nGATA1,SPI1,3\n\"A,B\",C,4\n";
  network.add("plain", edges);
  network.add("gzip", gzipped(edges));
}

/// Matrix, features and barcodes, with a zero byte between them.
void add_matrices(const Seeds& seeds) {
  const std::string zero(1, '\0');
  const std::string genes = "ENSG1\tGATA1\tGene Expression\nENSG2\tSPI1\tGene Expression\n";
  const std::string head = "%%MatrixMarket matrix coordinate ";
  seeds.add("integer", head + "integer general\n%comment\n2 3 3\n1 1 5\n2 1 1\n2 3 7\n" + zero + genes +
                           zero + "A-1\nC-1\nG-1\n");
  seeds.add("real",
            head + "real general\n2 2 2\n1 2 0.5\n2 1 1e-3\n" + zero + "GATA1\nSPI1\n" + zero + "A\nC\n");
  seeds.add("cells_x_genes", head + "real general\n3 2 1\n3 2 4\n" + zero + genes + zero + "A\nC\nG\n");
}

void add_json(const Seeds& vocabulary, const Seeds& args) {
  data::Vocabulary({"GATA1", "SPI1", "<pad>", "\xC3\xA9"}).write(vocabulary / "small");
  vocabulary.add("deep", std::string(1000, '[') + std::string(1000, ']'));
  vocabulary.add("escapes", R"({"\u0041\ud83d\ude00":1,"b":0})");
  backbone::TransformerConfig config;
  config.input.value_max = 50.0;
  args.add("own", backbone::args_from_config(config).dump());
  args.add("scgpt", R"({"embsize":512,"nheads":8,"d_hid":512,"nlayers":12,"n_bins":51,"max_seq_len":1200,)"
                    R"("pad_value":-2,"mask_value":-1,"input_emb_style":"continuous"})");
  args.add("deep", R"({"regulus":)" + std::string(1000, '[') + std::string(1000, ']') + "}");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_seeds DIR\n");
    return 2;
  }
  const std::filesystem::path root = argv[1];
  storage::write_torch_checkpoint(Seeds(root, "torch_checkpoint") / "model.pt", tensors());
  storage::write_torch_checkpoint(Seeds(root, "torch_checkpoint") / "empty.pt", {});
  storage::write_safetensors(Seeds(root, "safetensors") / "model", tensors(), {{"format", "pt"}});
  storage::write_safetensors(Seeds(root, "safetensors") / "empty", {});
  add_pickles({root, "torch_pickle"});
  add_tables({root, "csv_expression"}, {root, "network"});
  add_matrices({root, "matrix_market"});
  add_json({root, "vocabulary"}, {root, "args"});
}
