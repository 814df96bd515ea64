// SPDX-License-Identifier: MIT
#include "load/load_state_dict.hpp"

#include "bytes/guard.hpp"
#include "support/try.hpp"
#include "torch/access.hpp"

namespace brine {

namespace {

Result<void> put(Parameters::Impl::Item& item, Tensor tensor, bool assign) {
  if (!assign)
    BRINE_TRY(make_memory(item, tensor));
  if (item.shapeless) item.take_shape(tensor.shape());
  if (assign) return item.assigned = std::move(tensor), Result<void>();
  item.assigned.reset();
  BRINE_TRY(copy_into(item, tensor));
  if (!item.lazy) return {};
  BRINE_LET(made, Tensor::borrow(item.bytes, item.dtype, item.shape(), item.memory));
  item.assigned = std::move(*made);
  return {};
}

Result<LoadReport> load(Parameters& model, const StateDict& state, const LoadStateDictOptions& options) {
  Parameters::Impl& impl = ParametersAccess::impl(model);
  BRINE_LET(planned, plan_load(impl, state, options));
  LoadPlan& plan = *planned;
  LoadReport& report = plan.report;
  const bool fails = !report.problems.empty() || (options.strict && !report.all_matched());
  const auto with_report = [&](Error error) -> Error {
    return std::move(error).with(std::make_shared<const LoadReport>(std::move(report)));
  };

  if (options.dry_run) {
    report.loaded = plan.copies.size();
  } else if (!fails || !options.validate_first) {
    for (LoadPlan::Copy& copy : plan.copies) {
      const Parameters::Impl::Item& named = impl.items[copy.item];
      auto ok = put(impl.items[named.same], std::move(copy.tensor), copy.assign);
      if (!ok) return with_report(std::move(ok).error().at_path(named.name));
      ++report.loaded;
    }
  }
  if (!fails) return std::move(report);
  const ErrorCode code = report.problems.empty() ? ErrorCode::key_mismatch : report.problems.front().code;
  std::string text = error_text(report, options);
  return with_report(Error(ErrorKind::usage, code, std::move(text)));
}

}  // namespace

Result<LoadReport> load_state_dict(Parameters& model, const StateDict& state, const LoadStateDictOptions& options) {
  return guarded("load_state_dict", [&]() -> Result<LoadReport> {
    if (const Error* fault = model.fault()) return *fault;
    auto report = load(model, state, options);
    if (!report) return std::move(report).error().in_file(StateDictAccess::impl(state)->file);
    return report;
  });
}

}  // namespace brine
