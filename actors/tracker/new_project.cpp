#include "actors/tracker/new_project.hpp"

#include "storage/tracker/projects.hpp"

namespace connectord::tracker {

result<project> make_project(change& c, const uuid& project_uuid, const std::string& slug) {
  project made{project_id::make(), project_uuid, slug, slug, c.now, c.now};
  const auto long_id = '-' + project_uuid.str();
  const auto short_id = long_id.substr(0, 9);
  for (const auto& candidate : {slug, slug + short_id, slug + long_id}) {
    const auto holder = storage::find_project_by_slug(c.db, c.tenant, candidate);
    if (!holder) return holder.error();
    made.slug = candidate;
    if (!*holder) break;
  }
  if (const auto stored = storage::insert_project(c.db, c.tenant, made); !stored) return stored.error();
  return made;
}

}  // namespace connectord::tracker
