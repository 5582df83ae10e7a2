import { Command as Parser } from 'commander'
import type { CommandEntry } from './command.ts'

/** What can be typed after some words of a command: next words, and options. `valued` are the options that take a
 * value. */
export type Completions = ReadonlyMap<
  string,
  { readonly words: readonly string[]; readonly valued: readonly string[] }
>

/** Reads what can be typed from the commands themselves. */
export const completionsOf = async (entries: readonly CommandEntry[]): Promise<Completions> => {
  const found = new Map<string, { words: string[]; valued: string[] }>()
  const at = (place: string): { words: string[]; valued: string[] } => {
    const known = found.get(place) ?? { words: [], valued: [] }
    found.set(place, known)
    return known
  }
  for (const entry of entries) {
    const words = entry.name.split(' ')
    words.forEach((word, index) => {
      const before = at(words.slice(0, index).join(' '))
      if (!before.words.includes(word)) before.words.push(word)
    })
    const parser = new Parser()
    const command = await entry.load()
    command.configure(parser)
    const own = at(entry.name)
    for (const { long, required, optional } of parser.options) {
      if (typeof long !== 'string') continue
      own.words.push(long)
      if (required || optional) own.valued.push(long)
    }
    own.words.push('--help')
  }
  at('').words.push('help', '--help', '--version')
  return found
}

/** The shells a script can be written for. */
export const shells = {
  bash: (
    completions: Completions,
  ): string => `# Completion of octroi for bash. Add to ~/.bashrc: source <(octroi completion bash)
_octroi() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" place="" word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$place/$word" in
${nested(completions)
  .map(({ before, word, place }) => `      "${before}/${word}") place="${place}" ;;\n`)
  .join('')}    esac
  done
  case "$place/$previous" in
${valued(completions)
  .map((pattern) => `    "${pattern}") return ;;\n`)
  .join('')}  esac
  case "$place" in
${[...completions].map(([place, { words }]) => `    "${place}") COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$current")) ;;\n`).join('')}  esac
}
complete -o default -F _octroi octroi
`,
  zsh: (completions: Completions): string => `#compdef octroi
# Completion of octroi for zsh. Add to ~/.zshrc: source <(octroi completion zsh)
_octroi() {
  local place="" word previous="\${words[CURRENT-1]}"
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$place/$word" in
${nested(completions)
  .map(({ before, word, place }) => `      "${before}/${word}") place="${place}" ;;\n`)
  .join('')}    esac
  done
  case "$place/$previous" in
${valued(completions)
  .map((pattern) => `    "${pattern}") _files; return ;;\n`)
  .join('')}  esac
  case "$place" in
${[...completions].map(([place, { words }]) => `    "${place}") compadd -- ${words.join(' ')} ;;\n`).join('')}  esac
  [[ "\${words[CURRENT]}" == -* ]] || _files
}
compdef _octroi octroi
`,
  fish: (
    completions: Completions,
  ): string => `# Completion of octroi for fish. Write to ~/.config/fish/completions/octroi.fish
function __octroi_at
  set -l place ""
  for word in (commandline -opc)[2..-1]
    switch "$place/$word"
${nested(completions)
  .map(({ before, word, place }) => `      case "${before}/${word}"\n        set place "${place}"\n`)
  .join('')}    end
  end
  test "$place" = "$argv[1]"
end
${[...completions]
  .flatMap(([place, { words, valued }]) =>
    words.map((word) =>
      word.startsWith('--')
        ? `complete -c octroi -n '__octroi_at "${place}"' -l ${word.slice(2)}${valued.includes(word) ? ' -r' : ''}\n`
        : `complete -c octroi -n '__octroi_at "${place}"' -f -a ${word}\n`,
    ),
  )
  .join('')}`,
} as const

/** Which word leads from one place to the next. */
const nested = (completions: Completions) =>
  [...completions].flatMap(([before, { words }]) =>
    words.flatMap((word) => {
      const place = before === '' ? word : `${before} ${word}`
      return completions.has(place) ? [{ before, word, place }] : []
    }),
  )

/** Where the word before is an option that wants a value: then it is no time for words. */
const valued = (completions: Completions): readonly string[] =>
  [...completions].flatMap(([place, { valued: options }]) => options.map((option) => `${place}/${option}`))
