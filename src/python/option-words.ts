/**
 * Splits options as a POSIX shell would split words: white space between, quotes and backslash taken off, nothing
 * expanded.
 * @returns undefined when a quote isn't closed.
 */
export function optionWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index)
    if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === '\\' && quote !== "'") {
      index++
      word = `${word ?? ''}${text.charAt(index)}`
    } else if (quote === '' && (char === '"' || char === "'")) {
      quote = char
      word ??= ''
    } else if (char === quote) {
      quote = ''
    } else {
      word = `${word ?? ''}${char}`
    }
  }
  if (quote !== '') return undefined
  if (word !== undefined) words.push(word)
  return words
}
