#pragma once

#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "afterspike/analysis/report.hpp"
#include "unit/analysis/subjects.hpp"

/// Helpers for reports and their contents.
namespace afterspike::analysis {

inline report::Document make(const ReportRequest& request, int threads = 1) {
  ThreadPool pool(threads);
  return make_report(request, pool, [](const std::string&) {});
}

inline ReportRequest request_of(const testing::TempDir& directory,
                                const std::vector<const char*>& runs) {
  ReportRequest request;
  for (const char* run : runs) request.groups.push_back(find_runs((directory / run).string()));
  request.command = {"afterspike", "report", "a b"};
  return request;
}

inline const report::Section* find_section(const report::Document& document,
                                           const std::string& id) {
  for (const report::Section& section : document.sections) {
    if (section.id == id) return &section;
  }
  return nullptr;
}

inline std::vector<std::string> ids_of(const report::Document& document) {
  std::vector<std::string> ids;
  for (const report::Section& section : document.sections) {
    for (const report::Block& block : section.blocks) {
      std::visit(
          [&](const auto& own) {
            if constexpr (requires { own.id; }) ids.push_back(own.id);
          },
          block);
    }
  }
  return ids;
}

inline std::vector<std::string> notes_of(const report::Document& document) {
  std::vector<std::string> notes;
  for (const report::Section& section : document.sections) {
    for (const report::Block& block : section.blocks) {
      if (const auto* note = std::get_if<report::Note>(&block)) notes.push_back(note->text);
    }
  }
  return notes;
}

inline const report::Chart& chart(const report::Document& document, const std::string& id) {
  for (const report::Section& section : document.sections) {
    for (const report::Block& block : section.blocks) {
      const auto* own = std::get_if<report::Chart>(&block);
      if (own != nullptr && own->id == id) return *own;
    }
  }
  throw std::runtime_error("no chart " + id);
}

/// Returns the report's commands that repeat everything.
inline std::string commands_of(const report::Document& document) {
  std::string commands;
  for (const report::Block& block : find_section(document, "record")->blocks) {
    if (const auto* code = std::get_if<report::Code>(&block)) commands += code->text + "\n";
  }
  return commands;
}

}  // namespace afterspike::analysis
