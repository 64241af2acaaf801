/** The one spelling of a package's name that indexes compare by (PEP 503, "Normalized Names"): `Ruamel.Yaml` is `ruamel-yaml`. */
export function normalizeName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-')
}
