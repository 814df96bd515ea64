// SPDX-License-Identifier: MIT
// brine: PyTorch checkpoint files (.pth, .pt, .bin, .ckpt) in C++20, without libtorch and without Python.
//
// One straight road; each stage is a folder of lib/ and, where users meet it, a header here:
//
//  file ──▶ bytes ──▶ archive ──▶ pickle ──▶ graph ──▶ tensor, torch, forms ──▶ module, state ──▶ load ──▶ your buffers
//           source.hpp                       kind.hpp  tensor.hpp, value.hpp    state_dict.hpp    parameters.hpp
//
//   #include <brine/brine.hpp>
//
//   auto ckpt = brine::load("resnet50.pth");                     // checkpoint.hpp: the front door
//   if (!ckpt) { log(ckpt.error().message()); return; }          // result.hpp, error.hpp: errors are values
//   auto weights = ckpt->state_dict();
//   for (const auto& [name, t] : *weights)
//     if (auto w = t.data<float>()) upload(name, t.shape(), *w); // a span into the mapped file: no copy
//
// Names are PyTorch's. Handles are cheap, shared and thread-safe; spans and string_views say what they borrow from. What a hostile file
// may cost is bounded by limits.hpp. When the machine's memory is spent, what returns a Result returns out_of_memory, and what does not throws
// std::bad_alloc (without exceptions: ends the process). Files, and what was only read, are as before; what was being edited (a StateDict, a
// Tree, Parameters) is then good for being destroyed or assigned to.
#pragma once

#include <brine/array.hpp>
#include <brine/cast.hpp>
#include <brine/check.hpp>
#include <brine/checkpoint.hpp>
#include <brine/convert.hpp>
#include <brine/diff.hpp>
#include <brine/dtensor.hpp>
#include <brine/dtype.hpp>
#include <brine/edits.hpp>
#include <brine/error.hpp>
#include <brine/instruction.hpp>
#include <brine/kind.hpp>
#include <brine/layout.hpp>
#include <brine/left_out.hpp>
#include <brine/limits.hpp>
#include <brine/load_options.hpp>
#include <brine/load_state_dict.hpp>
#include <brine/make_tensor.hpp>
#include <brine/module.hpp>
#include <brine/note.hpp>
#include <brine/parameters.hpp>
#include <brine/result.hpp>
#include <brine/save.hpp>
#include <brine/save_options.hpp>
#include <brine/shape.hpp>
#include <brine/sink.hpp>
#include <brine/source.hpp>
#include <brine/state_dict.hpp>
#include <brine/state_dict_tools.hpp>
#include <brine/stats.hpp>
#include <brine/tensor.hpp>
#include <brine/text.hpp>
#include <brine/tree.hpp>
#include <brine/value.hpp>
#include <brine/version.hpp>
