#pragma once

#include <boost/iostreams/copy.hpp>
#include <boost/iostreams/filter/gzip.hpp>
#include <boost/iostreams/filtering_streambuf.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace regulus::test {

inline std::filesystem::path write_file(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

inline std::string file_content(const std::filesystem::path& file) {
  std::ostringstream content;
  content << std::ifstream(file, std::ios::binary).rdbuf();
  return content.str();
}

inline std::string gzipped(const std::string& text) {
  std::istringstream plain(text);
  std::ostringstream packed;
  boost::iostreams::filtering_streambuf<boost::iostreams::input> filter;
  filter.push(boost::iostreams::gzip_compressor());
  filter.push(plain);
  boost::iostreams::copy(filter, packed);
  return packed.str();
}

}  // namespace regulus::test
