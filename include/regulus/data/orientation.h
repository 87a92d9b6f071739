#pragma once

#include <string>
#include <vector>

namespace regulus::data {

/// Which way round a table of expression is.
enum class Orientation {
  Auto,          ///< to be recognised from the names
  GenesByCells,  ///< a row per gene, as BEELINE has it
  CellsByGenes   ///< a row per cell
};

/// Of the option values auto, genes-by-cells, cells-by-genes. \throws OptionError on another
Orientation parse_orientation(const std::string& text);

struct OrientationGuess {
  Orientation orientation = Orientation::Auto;  ///< Auto: undecidable
  std::string reason;  ///< for the log or the error, e.g. "row names look like genes …"
};

/// Recognises the orientation from what the names look like. A name counts for a gene (+1) if it is an
/// Ensembl gene id, a RIKEN name or has the form of a symbol (a letter, then letters, digits, '-' and '.', 15
/// at most); for a cell (-1) if it has a nucleotide barcode, an underscore, a space or a colon, or starts
/// like cell12 or GSM1234567; for neither (0) otherwise (numbers, plate wells such as A12). The sides must
/// differ by half a point on average. A corner cell that says gene/symbol or cell/barcode decides where the
/// names do not contradict it. \param corner the header cell over the row names, or empty
OrientationGuess guess_orientation(const std::string& corner, const std::vector<std::string>& row_names,
                                   const std::vector<std::string>& column_names);

}  // namespace regulus::data
