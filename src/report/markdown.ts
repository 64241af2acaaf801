/** Free text within Markdown: no HTML, no table cell, no code span, no link, no mention can start in it. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_{}[\]|~#]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/@/g, '&#64;')
    .replace(/:\/\//g, '&#58;//')
}

/** Text as code, safe in a table cell: an HTML element, because a code span can't hold a pipe or a backtick there. */
export function code(text: string): string {
  return text === '' ? '' : `<code>${escapeMarkdown(text)}</code>`
}

/** A table; cells are Markdown already. Columns whose name ends in `>` are aligned to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const names = header.map((name) => name.replace(/>$/, ''))
  const rulers = header.map((name) => (name.endsWith('>') ? '---:' : '---'))
  return [names, rulers, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** A part that is folded until it is clicked. */
export function details(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`
}

/** Lines as a code block whose fence is longer than any run of backticks in them. */
export function codeBlock(lines: readonly string[], language = ''): string {
  const longest = Math.max(2, ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)))
  const fence = '`'.repeat(longest + 1)
  return [fence + language, ...lines, fence].join('\n')
}
