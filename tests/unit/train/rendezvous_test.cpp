#include "afterspike/train/rendezvous.hpp"

#include <map>

#include <gtest/gtest.h>

#include "afterspike/base/error.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

using testing::expect_error;
using Environment = std::map<std::string, std::string>;

Variables in(const Environment& environment) {
  return [environment](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
}

Environment torchrun() {
  return {{"RANK", "1"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "node3"}, {"MASTER_PORT", "29501"}};
}

Environment srun() {
  return {{"SLURM_PROCID", "2"},         {"SLURM_NTASKS", "8"},
          {"SLURM_STEP_NUM_TASKS", "3"}, {"SLURM_STEP_NODELIST", "cn[07-09,12]"},
          {"SLURM_JOB_ID", "4123456"},   {"SLURM_NODELIST", "cn[01-12]"}};
}

Environment mpirun(const char* local_size) {
  return {{"OMPI_COMM_WORLD_RANK", "1"},
          {"OMPI_COMM_WORLD_SIZE", "2"},
          {"OMPI_COMM_WORLD_LOCAL_SIZE", local_size}};
}

Environment with(Environment environment, const Environment& more) {
  environment.insert(more.begin(), more.end());
  return environment;
}

Environment without(Environment environment, const char* name) {
  environment.erase(name);
  return environment;
}

struct Case {
  const char* what;
  Environment environment;
  int rank, size;
  const char* address;
  int port;
};

TEST(Rendezvous, IsWhereTheLauncherSays) {
  const Case cases[] = {
      {"nobody", {}, 0, 1, "", kDefaultPort},
      {"torchrun", torchrun(), 1, 4, "node3", 29501},
      {"a newer torchrun has the port for itself",
       with(torchrun(), {{"TORCHELASTIC_USE_AGENT_STORE", "True"}}), 1, 4, "node3", 29502},
      {"torchrun inside srun", with(torchrun(), srun()), 1, 4, "node3", 29501},
      {"srun", srun(), 2, 3, "cn07", 23456},
      {"srun, told where", with(srun(), {{"MASTER_ADDR", "10.0.0.7"}, {"MASTER_PORT", "4000"}}), 2,
       3, "10.0.0.7", 4000},
      {"a batch script is one process", without(srun(), "SLURM_STEP_NUM_TASKS"), 0, 1, "",
       kDefaultPort},
      {"what srun would take is not srun", {{"SLURM_NTASKS", "8"}}, 0, 1, "", kDefaultPort},
      {"srun's older names",
       {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_NODELIST", "a-1,b"}},
       1,
       2,
       "a-1",
       kDefaultPort},
      {"mpirun on one machine", mpirun("2"), 1, 2, "127.0.0.1", kDefaultPort},
      {"mpirun on two", with(mpirun("1"), {{"MASTER_ADDR", "node1"}}), 1, 2, "node1", kDefaultPort},
      {"mpirun inside Slurm, where srun starts its daemons", with(mpirun("2"), srun()), 1, 2,
       "127.0.0.1", kDefaultPort},
      {"one process needs no address",
       {{"RANK", "0"}, {"WORLD_SIZE", "1"}},
       0,
       1,
       "",
       kDefaultPort},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const Rendezvous place = read_rendezvous(in(c.environment));
    EXPECT_EQ(place.rank, c.rank);
    EXPECT_EQ(place.size, c.size);
    EXPECT_EQ(place.address, c.address);
    EXPECT_EQ(place.port, c.port);
  }
}

TEST(Rendezvous, FindsTheFirstHostOfAList) {
  const std::pair<const char*, const char*> cases[] = {{"a", "a"},
                                                       {"a,b[1-2]", "a"},
                                                       {"n[1,3-4].site", "n1.site"},
                                                       {"r[2-3]n[007-010],x", "r2n007"},
                                                       {"r[2]n[7,9],x[1-2]", "r2n7"}};
  for (const auto& [list, host] : cases) {
    Environment environment = srun();
    environment["SLURM_STEP_NODELIST"] = list;
    EXPECT_EQ(read_rendezvous(in(environment)).address, host) << list;
  }
}

TEST(Rendezvous, FlagsCountFirst) {
  const Rendezvous place = read_rendezvous(in(torchrun()), "elsewhere", 77);
  EXPECT_EQ(place.address, "elsewhere");
  EXPECT_EQ(place.port, 77);
  EXPECT_EQ(read_rendezvous(in(without(torchrun(), "MASTER_PORT")), {}, 77).port, 77);
}

TEST(Rendezvous, RefusesWhatIsHalfSetOrContradictsItself) {
  const std::tuple<Environment, const char*> cases[] = {
      {without(torchrun(), "RANK"), "variable WORLD_SIZE is set, but RANK is not"},
      {without(torchrun(), "WORLD_SIZE"), "variable RANK is set, but WORLD_SIZE is not"},
      {without(torchrun(), "MASTER_ADDR"), "expected the host of rank 0 in MASTER_ADDR"},
      {without(torchrun(), "MASTER_PORT"), "variable RANK is set, but MASTER_PORT is not"},
      {{{"MASTER_ADDR", "a"}}, "variable MASTER_ADDR is set, but nothing says which"},
      {{{"MASTER_PORT", "1"}}, "variable MASTER_PORT is set, but nothing says which"},
      {with({{"RANK", "4"}}, torchrun()), "found 4 and 4, expected a rank below"},
      {with({{"RANK", "-1"}}, torchrun()), "RANK: found '-1', expected a whole number from 0 on"},
      {with({{"RANK", "1x"}}, torchrun()), "RANK: found '1x', expected a whole number"},
      {with({{"RANK", ""}}, torchrun()), "RANK: found '', expected a whole number"},
      {with({{"WORLD_SIZE", "0"}}, torchrun()), "WORLD_SIZE: found '0', expected"},
      {with({{"WORLD_SIZE", "65537"}}, torchrun()), "expected a whole number from 1 to 65536"},
      {with({{"MASTER_PORT", "65536"}}, torchrun()),
       "found '65536', expected a whole number from "
       "1 to 65535"},
      {without(srun(), "SLURM_PROCID"), "SLURM_STEP_NUM_TASKS is set, but SLURM_PROCID is not"},
      {without(mpirun("2"), "OMPI_COMM_WORLD_SIZE"), "but OMPI_COMM_WORLD_SIZE is not"},
      {mpirun("1"), "mpirun -x MASTER_ADDR=HOST"},
      {with({{"SLURM_STEP_NODELIST", "n[1-"}}, srun()), "found 'n[1-', expected a list of hosts"},
  };
  for (const auto& [environment, message] : cases) {
    expect_error(ErrorKind::usage, {message}, [&] { read_rendezvous(in(environment)); });
  }
  expect_error(ErrorKind::usage, {"--master-address: nothing says"},
               [&] { read_rendezvous(in({}), "host"); });
}

}  // namespace
}  // namespace afterspike::train
