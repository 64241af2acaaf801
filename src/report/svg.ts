/** A number for an SVG attribute: at most one decimal. */
export function n(value: number): string {
  return String(Math.round(value * 10) / 10)
}

/** Text for SVG or HTML, also within attributes; control characters, which XML forbids, are left out. */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
}

/** A text element; `x` and `y` in pixels, the baseline at `y`. */
export function svgText(x: number, y: number, className: string, text: string, anchor?: 'middle' | 'end'): string {
  const end = anchor === undefined ? '' : ` text-anchor="${anchor}"`
  return `<text x="${n(x)}" y="${n(y)}" class="${className}"${end}>${escapeXml(text)}</text>`
}

/** A rectangle with a title that shows when it is pointed at. */
export function svgRect(
  place: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  className: string,
  title = '',
): string {
  const { x, y, width, height } = place
  const shape = `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="3" class="${className}"`
  return title === '' ? `${shape}/>` : `${shape}><title>${escapeXml(title)}</title></rect>`
}

/** A whole picture with the styles that it needs, readable on light and dark ground. */
export function svgPicture(width: number, height: number, title: string, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${n(width)} ${n(height)}" width="${n(width)}" height="${n(height)}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${PICTURE_STYLE}</style>`,
    svgRect({ x: 0, y: 0, width, height }, 'ic-ground'),
    ...content,
    '</svg>',
  ].join('\n')
}

/** Widths of letters differ; this many pixels for one letter at 12 px is on the safe side for common sans fonts. */
export const LETTER = 6.6

// No variables and no ids: renderers outside of browsers know no variables, and ids clash when pictures share a page.
const PICTURE_STYLE = `
text{font:12px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
.ic-ground{fill:#ffffff}.ic-text{fill:#1f2328}.ic-faint{fill:#59636e}.ic-small{font-size:11px}.ic-strong{font-weight:600}
.ic-line{stroke:#d1d9e0;stroke-width:1}.ic-stripe{fill:#f6f8fa}.ic-both{fill:#1a7f37;fill-opacity:.10}
.ic-ran{fill:#2f6fdb}.ic-cached{fill:#9aa4af}.ic-pulled{fill:#bf8700}.ic-export{fill:#8250df}.ic-push{fill:#1a7f37}.ic-cache-export{fill:#c4690a}.ic-failed{fill:#cf222e}
.ic-built{fill:#2f6fdb}.ic-reused{fill:#1a7f37}.ic-unknown{fill:#818b98}.ic-on{fill:#ffffff}
@media (prefers-color-scheme:dark){
.ic-ground{fill:#0d1117}.ic-text{fill:#f0f6fc}.ic-faint{fill:#9198a1}.ic-line{stroke:#3d444d}.ic-stripe{fill:#151b23}.ic-both{fill:#3fb950;fill-opacity:.16}
.ic-ran{fill:#4f8cf0}.ic-cached{fill:#656c76}.ic-pulled{fill:#d29922}.ic-export{fill:#a371f7}.ic-push{fill:#2ea043}.ic-cache-export{fill:#db7b1a}.ic-failed{fill:#f85149}
.ic-built{fill:#316dca}.ic-reused{fill:#238636}.ic-unknown{fill:#656c76}}
`.trim()
