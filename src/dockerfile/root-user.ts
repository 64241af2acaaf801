/** Whether a USER, or the value of `--chown`, is root by name or by number. */
export function isRoot(user: string): boolean {
  return /^(?:root|0)?(?::(?:root|0))?$/.test(user)
}
