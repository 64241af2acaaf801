import { goFlag } from '../base/go-flag.ts'

/** What is to be said about a composed image; `refused`: only the builder can say what was asked for. */
export type AttestationChoice =
  | {
      readonly kind: 'own'
      /** `off`, or how much the provenance tells. */
      readonly provenance: 'off' | 'min' | 'max'
      readonly builderId: string | undefined
      readonly sbom: boolean
    }
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * Reads the inputs `provenance` and `sbom` as buildx takes them. Without a word buildx attaches provenance of mode `min` to
 * images that it pushes; so do we, unless the environment says that no attestation is to be made by default.
 * @param provenance, sbom fields by name (`true` alone is `disabled=false`); undefined when not given
 */
export function attestationChoice(
  provenance: ReadonlyMap<string, string> | undefined,
  sbom: ReadonlyMap<string, string> | undefined,
  byDefault: boolean,
): AttestationChoice {
  const wantsSbom = sbom !== undefined && !isOff(sbom)
  const other = wantsSbom ? [...sbom.keys()].find((name) => !isSwitch(name)) : undefined
  if (other !== undefined) return { kind: 'refused', reason: `sbom names a ${other}, which the builder must run` }
  if (provenance === undefined || isOff(provenance)) {
    const mode = provenance === undefined && byDefault ? 'min' : 'off'
    return { kind: 'own', provenance: mode, builderId: undefined, sbom: wantsSbom }
  }
  const unknown = [...provenance.keys()].find((name) => !isSwitch(name) && !KNOWN.has(name))
  if (unknown !== undefined) return { kind: 'refused', reason: `provenance has ${unknown}, which the builder knows` }
  const mode = provenance.get('mode') === 'max' ? 'max' : 'min'
  return { kind: 'own', provenance: mode, builderId: provenance.get('builder-id'), sbom: wantsSbom }
}

/** `inline-only` is about outputs without a place for attestations; a registry has one. */
const KNOWN = new Set(['mode', 'builder-id', 'inline-only'])

/** `true` alone, or `disabled=false`. */
function isSwitch(name: string): boolean {
  return name === 'disabled' || goFlag(name) === true
}

function isOff(fields: ReadonlyMap<string, string>): boolean {
  return [...fields.keys()].some((name) => goFlag(name) === false) || goFlag(fields.get('disabled')) === true
}
