# Three kinds of GoogleTest programs, each from a folder of *_test.cpp:
#   tests/unit/MODULE    one process, label "unit"
#   tests/ranks/MODULE   mpirun with 1, 2, 3 and 4 ranks, label "ranks"
#   tests/golden/MODULE  one process, reference outputs where ../shared/oracle exists, label "golden"
find_package(GTest REQUIRED)
include(GoogleTest)

add_library(regulus_test_main STATIC ${PROJECT_SOURCE_DIR}/tests/support/mpi_main.cpp)
target_link_libraries(regulus_test_main PUBLIC GTest::gtest regulus_comm PRIVATE regulus_flags)
target_include_directories(regulus_test_main PUBLIC ${PROJECT_SOURCE_DIR}/tests)

set(REGULUS_TEST_ENVIRONMENT
    OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
    OMPI_MCA_btl_vader_single_copy_mechanism=none OMPI_MCA_mpi_yield_when_idle=1)

function(regulus_test_program kind module)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/${module}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  set(program ${kind}_${module})
  add_executable(${program} ${sources})
  target_link_libraries(${program} PRIVATE regulus_test_main regulus_${module} regulus_flags ${ARGN})
  target_compile_definitions(${program} PRIVATE REGULUS_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared"
                             REGULUS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(kind STREQUAL ranks)
    foreach(n 1 2 3 4)
      add_test(NAME ${program}.${n} COMMAND ${MPIEXEC_EXECUTABLE} -n ${n} $<TARGET_FILE:${program}>)
      set_tests_properties(${program}.${n} PROPERTIES LABELS ranks TIMEOUT 300 PROCESSORS 2
                           ENVIRONMENT "${REGULUS_TEST_ENVIRONMENT}")
    endforeach()
  else()
    add_test(NAME ${program} COMMAND ${program})
    set_tests_properties(${program} PROPERTIES LABELS ${kind} TIMEOUT 300 ENVIRONMENT "${REGULUS_TEST_ENVIRONMENT}"
                         SKIP_REGULAR_EXPRESSION "ALL TESTS SKIPPED")
  endif()
endfunction()
