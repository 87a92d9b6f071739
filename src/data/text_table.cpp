#include "regulus/data/text_table.h"

#include <array>
#include <boost/iostreams/device/file.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <fstream>
#include <system_error>

#include "regulus/core/error.h"

namespace regulus::data {

namespace {

constexpr std::size_t kBlock_bytes = std::size_t{1} << 18U;
// No table of cells needs more, and a few bytes of gzip could unfold into any memory.
constexpr std::size_t kLongestLine_bytes = std::size_t{1} << 27U;
constexpr std::size_t kMostFields = std::size_t{1} << 23U;

bool is_gzip(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 2> magic{};
  stream.read(magic.data(), magic.size());
  return stream.gcount() == 2 && magic[0] == '\x1f' && magic[1] == '\x8b';
}

void require_readable(const std::filesystem::path& file) {
  std::error_code failure;
  if (!std::filesystem::exists(file, failure))
    throw InputError("no such file", file.string(), "check the path");
  if (std::filesystem::is_directory(file, failure))
    throw InputError("is a folder, not a file", file.string(), "name one file");
  if (!std::ifstream(file, std::ios::binary))
    throw InputError("cannot be read", file.string(), "check its permissions");
}

std::filesystem::path without_gz(const std::filesystem::path& file) {
  return file.extension() == ".gz" ? file.stem() : file.filename();
}

}  // namespace

struct LineReader::Source {
  boost::iostreams::filtering_streambuf<boost::iostreams::input> stream;
};

LineReader::LineReader(const std::filesystem::path& file) : file_(file), source_(std::make_unique<Source>()) {
  require_readable(file);
  if (is_gzip(file)) source_->stream.push(boost::iostreams::gzip_decompressor());
  source_->stream.push(boost::iostreams::file_source(file.string(), std::ios::binary));
  fill();
  if (buffer_.empty()) throw InputError("the file is empty", file.string());
  if (buffer_.starts_with("\xEF\xBB\xBF")) begin_ = 3;
}

LineReader::~LineReader() = default;

std::string LineReader::where() const {
  return file_.string() + ", line " + std::to_string(line_number_);
}

/// Appends one block to the buffer; false if there is none.
bool LineReader::fill() {
  if (at_end_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t old_size = buffer_.size();
  try {
    buffer_.resize(old_size + kBlock_bytes);
    const auto count =
        source_->stream.sgetn(buffer_.data() + old_size, static_cast<std::streamsize>(kBlock_bytes));
    buffer_.resize(old_size + static_cast<std::size_t>(count));
    at_end_ = buffer_.size() < old_size + kBlock_bytes;
  } catch (const std::ios_base::failure&) {
    throw InputError("the gzip data is truncated or damaged", file_.string(),
                     "copy or download the file again");
  }
  return buffer_.size() > old_size;
}

std::string_view LineReader::take_line(std::size_t length, std::size_t consumed) {
  std::string_view line(buffer_.data() + begin_, length);
  if (line.ends_with('\r')) line.remove_suffix(1);
  begin_ += consumed;
  ++line_number_;
  return line;
}

bool LineReader::next(std::string_view& line) {
  std::size_t searched = 0;
  while (true) {
    const std::size_t end = buffer_.find('\n', begin_ + searched);
    if (end != std::string::npos) {
      line = take_line(end - begin_, end - begin_ + 1);
      return true;
    }
    searched = buffer_.size() - begin_;
    if (searched > kLongestLine_bytes)
      throw InputError("the line after this is longer than 128 MiB", where(),
                       "end every row with a line break, or give larger tables as .h5ad");
    if (fill()) continue;
    if (begin_ == buffer_.size()) return false;
    const std::size_t rest = buffer_.size() - begin_;
    line = take_line(rest, rest);
    return true;
  }
}

void split_fields(std::string_view line, char separator, const std::string& where,
                  std::vector<std::string>& fields) {
  std::size_t count = 0;
  std::size_t at = 0;
  while (true) {
    if (count == kMostFields)
      throw InputError("the row has more than " + std::to_string(kMostFields) + " columns", where,
                       "give larger tables as .h5ad");
    if (count == fields.size()) fields.emplace_back();
    std::string& field = fields[count++];
    field.clear();
    bool quoted = false;
    for (; at < line.size() && (quoted || line[at] != separator); ++at) {
      if (line[at] != '"') {
        field += line[at];
      } else if (quoted && at + 1 < line.size() && line[at + 1] == '"') {
        field += line[at++];
      } else {
        quoted = !quoted;
      }
    }
    if (quoted)
      throw InputError("a quote is not closed in column " + std::to_string(count), where,
                       "quoted fields must end on the line where they start");
    if (at == line.size()) break;
    ++at;
  }
  fields.resize(count);
}

char separator_of(const std::filesystem::path& file) {
  const std::string suffix = without_gz(file).extension().string();
  if (suffix == ".csv") return ',';
  if (suffix == ".tsv" || suffix == ".txt") return '\t';
  throw InputError("the file name ends in neither .csv, .tsv nor .txt (with or without .gz)", file.string(),
                   "rename it after its format");
}

std::string base_name(const std::filesystem::path& file) {
  return without_gz(file).stem().string();
}

TableReader::TableReader(const std::filesystem::path& file) : lines_(file), separator_(separator_of(file)) {
  std::string_view line;
  if (!lines_.next(line) || line.empty()) throw InputError("the first line must be a header", lines_.where());
  split_fields(line, separator_, lines_.where(), header_);
  if (header_.size() > 1) return;
  const std::string name = separator_ == ',' ? "comma" : "tab";
  throw InputError("the header has one column: no " + name + " in it", lines_.where(),
                   "name comma-separated files .csv and tab-separated files .tsv");
}

bool TableReader::next(const std::vector<std::string>*& fields) {
  std::string_view line;
  if (!lines_.next(line)) return false;
  if (line.empty()) {
    const std::string blank = lines_.where();
    while (lines_.next(line))
      if (!line.empty()) throw InputError("a blank line between the rows", blank, "remove it");
    return false;
  }
  split_fields(line, separator_, lines_.where(), fields_);
  fields = &fields_;
  return true;
}

void TableReader::require_width(std::size_t width) const {
  if (fields_.size() == width) return;
  throw InputError("the row has " + std::to_string(fields_.size()) + " columns, " + std::to_string(width) +
                       " were expected",
                   where(), "every row must have as many columns as the header says");
}

std::string TableReader::where(std::size_t field) const {
  return where() + ", column " + std::to_string(field + 1);
}

}  // namespace regulus::data
