// SPDX-License-Identifier: MIT
#include "state/load_state_dict.hpp"

#include "bytes/guard.hpp"

namespace brine {

namespace {

Result<LoadReport> load(Parameters& model, const StateDict& state, const LoadStateDictOptions& options) {
  Parameters::Impl& impl = ParametersAccess::impl(model);
  if (impl.fault) return *impl.fault;
  auto planned = plan_load(impl, state, options);
  if (!planned) return std::move(planned).error();
  LoadPlan& plan = *planned;
  LoadReport& report = plan.report;
  const bool fails = !report.problems.empty() || (options.strict && !report.all_matched());
  const auto with_report = [&](Error error) -> Error {
    return std::move(error).with_report(std::make_shared<const LoadReport>(std::move(report)));
  };

  if (options.dry_run) {
    report.loaded = plan.copies.size();
  } else if (!fails || !options.validate_first) {
    for (LoadPlan::Copy& copy : plan.copies) {
      Parameters::Impl::Item& item = impl.items[copy.item];
      if (options.assign) {
        item.assigned = std::move(copy.tensor);
      } else {
        if (auto ok = copy_into(item, copy.tensor); !ok) return with_report(std::move(ok).error().at_path(item.name));
        item.assigned.reset();
      }
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
  return guarded("load_state_dict", [&] { return load(model, state, options); });
}

}  // namespace brine
