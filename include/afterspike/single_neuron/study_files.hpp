#pragma once

#include <filesystem>
#include <string>

#include "afterspike/io/json.hpp"
#include "afterspike/report/document.hpp"
#include "afterspike/single_neuron/study.hpp"

namespace afterspike::single_neuron {

/// Names of the files that write_study() writes, separated by blanks.
inline constexpr const char* kStudyFiles =
    "report.html summary.json trace.csv spikes.csv fi_curve.csv adaptation.csv impedance.csv "
    "rate_modulation.csv nullclines.csv fixed_points.csv equilibria.csv";

/// Numbers of a study for programs.
io::Json summary_of(const Study& study);

/// The page. `command` is shown as the command that made it.
report::Document document_of(const Study& study, const std::string& command);

/// Writes a new directory with CSV files, summary.json and report.html, complete or not at all.
/// Throws Error(data).
void write_study(const std::filesystem::path& directory, const Study& study,
                 const std::string& command);

}  // namespace afterspike::single_neuron
