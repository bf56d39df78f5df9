// Texts and empty groups in HDF5 files.

#include <cstddef>

#include "afterspike/io/size_limit.hpp"
#include "hdf5_file.hpp"

namespace afterspike::io {
namespace {

Handle variable_text() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

}  // namespace

void Hdf5File::write_texts(std::string_view dataset, const Hdf5Array<std::string>& array) {
  const Hdf5Lock lock;
  const std::string where = impl_->where(dataset);
  impl_->check_path(dataset);
  impl_->check_shape(array.shape, array.values.size(), where);
  std::vector<const char*> pointers;
  for (const std::string& text : array.values) pointers.push_back(text.c_str());
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links, 1);
  const Handle type = variable_text();
  const Handle handle(
      H5Dcreate2(impl_->file, std::string(dataset).c_str(), type, space_of(array.shape), links,
                 creation_list(H5P_DATASET_CREATE), H5P_DEFAULT),
      H5Dclose);
  const bool written =
      handle && H5Dwrite(handle, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()) >= 0;
  require(written, ErrorKind::data, "{} cannot be written{}", where, words(hdf5_reason()));
  impl_->flush();
}

Hdf5Array<std::string> Hdf5File::read_texts(std::string_view dataset) const {
  const Hdf5Lock lock;
  const std::string where = impl_->where(dataset);
  const Handle handle = impl_->dataset(dataset);
  const Handle stored(H5Dget_type(handle), H5Tclose);
  require(H5Tget_class(stored) == H5T_STRING && H5Tis_variable_str(stored) > 0, ErrorKind::data,
          "{} holds no texts of variable length", where);
  const Handle space(H5Dget_space(handle), H5Sclose);
  Hdf5Array<std::string> array{impl_->shape(space, where), {}};
  const auto count = static_cast<std::uint64_t>(H5Sget_simple_extent_npoints(space));
  require_plausible_size(count * sizeof(char*), impl_->stored_bytes(handle), where);
  std::vector<char*> pointers(static_cast<std::size_t>(count));
  const Handle type = variable_text();
  const bool done = H5Dread(handle, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()) >= 0;
  require(done, ErrorKind::data, "{} cannot be read{}", where, words(hdf5_reason()));
  for (const char* text : pointers) array.values.emplace_back(text == nullptr ? "" : text);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
  return array;
}

void Hdf5File::make_group(std::string_view group) {
  const Hdf5Lock lock;
  impl_->check_path(group);
  const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links, 1);
  const Handle handle(H5Gcreate2(impl_->file, std::string(group).c_str(), links,
                                 creation_list(H5P_GROUP_CREATE), H5P_DEFAULT),
                      H5Gclose);
  require(bool(handle), ErrorKind::data, "{} cannot be made{}", impl_->where(group),
          words(hdf5_reason()));
}

}  // namespace afterspike::io
