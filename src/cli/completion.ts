import type { Command } from 'commander'

/** Completion scripts for shells, made from the commands themselves. */

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** A command or subcommand: the words that lead to it, and what may follow. */
interface Node {
  readonly path: string
  readonly description: string
  readonly options: readonly {
    readonly flag: string
    readonly description: string
    readonly value: boolean
  }[]
  readonly words: readonly { readonly word: string; readonly description: string }[]
  readonly files: boolean
  readonly hosts: boolean
}

const TAKES_FILE = ['start', 'check', 'reload']
const TAKES_HOST = ['exec', 'capture']

function nodes(command: Command, path: readonly string[] = []): Node[] {
  const help = command.createHelp()
  const options = help.visibleOptions(command).map((o) => ({
    flag: o.long ?? o.short ?? '',
    description: o.description,
    value: o.required || o.optional,
  }))
  const choices = command.registeredArguments.flatMap((a) => a.argChoices ?? [])
  const children = command.commands
  const node: Node = {
    path: path.join(' '),
    description: command.description(),
    options,
    words: [
      ...children.map((c) => ({ word: c.name(), description: c.description() })),
      ...choices.map((word) => ({ word, description: '' })),
    ],
    files: TAKES_FILE.includes(path[0] ?? ''),
    hosts: TAKES_HOST.includes(path[0] ?? ''),
  }
  return [node, ...children.flatMap((c) => nodes(c, [...path, c.name()]))]
}

const HOSTS = 'ls /run/netns 2>/dev/null'

/** Both bash and zsh find the command that the words so far lead to in the same way. */
function walk(tree: readonly Node[]): string {
  const paths = tree.filter((n) => n.path !== '').map((n) => `'${n.path}'`)
  return `  local path="" word
  for word in "\${before[@]}"; do
    case "\${path:+$path }$word" in
      ${paths.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done`
}

function cases(tree: readonly Node[], line: (node: Node) => string): string {
  return tree.map((node) => `    '${node.path}') ${line(node)} ;;`).join('\n')
}

function bash(tree: readonly Node[]): string {
  const words = (n: Node) => [...n.words.map((w) => w.word), ...n.options.map((o) => o.flag)].join(' ')
  return `# bash completion of vswitchd-ts
_vswitchd_ts() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="" files="" before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${walk(tree)}
  case "$path" in
${cases(tree, (n) => `words="${words(n)}${n.hosts ? ` $(${HOSTS})` : ''}"${n.files ? ' files=yes' : ''}`)}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; [[ -n $files ]] && compgen -f -- "$current")
}
complete -o filenames -F _vswitchd_ts vswitchd-ts
`
}

function zsh(tree: readonly Node[]): string {
  const quote = (text: string) => text.replaceAll("'", "'\\''")
  const entry = (word: string, description: string) => `'${quote(word)}:${quote(description)}'`
  const words = (n: Node) =>
    [
      ...n.words.map((w) => entry(w.word, w.description)),
      ...n.options.map((o) => entry(o.flag, o.description)),
    ].join(' ')
  return `#compdef vswitchd-ts
# zsh completion of vswitchd-ts
_vswitchd_ts() {
  local -a entries before=("\${(@)words[2,CURRENT-1]}")
${walk(tree)}
  case "$path" in
${cases(tree, (n) => `entries=(${words(n)})${n.hosts ? ` && compadd -- $(${HOSTS})` : ''}${n.files ? ' && _files' : ''}`)}
  esac
  _describe 'vswitchd-ts' entries
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _vswitchd_ts "$@"; else compdef _vswitchd_ts vswitchd-ts; fi
`
}

function fish(tree: readonly Node[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = ['# fish completion of vswitchd-ts', 'complete -c vswitchd-ts -f']
  for (const node of tree) {
    const path = node.path.split(' ').filter((word) => word !== '')
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`)
    const further = node.words.map((w) => w.word).join(' ')
    const not = further === '' ? [] : [`not __fish_seen_subcommand_from ${further}`]
    const condition = (parts: readonly string[]) =>
      parts.length === 0 ? '' : ` -n ${quote(parts.join('; and '))}`
    for (const { word, description } of node.words) {
      lines.push(`complete -c vswitchd-ts${condition([...seen, ...not])} -a ${word} -d ${quote(description)}`)
    }
    for (const { flag, description, value } of node.options) {
      const wants = value ? ' -r' : ''
      lines.push(
        `complete -c vswitchd-ts${condition([...seen, ...not])} -l ${flag.replace(/^-+/, '')}${wants} -d ${quote(description)}`,
      )
    }
    if (node.files) lines.push(`complete -c vswitchd-ts${condition(seen)} -F`)
    if (node.hosts) lines.push(`complete -c vswitchd-ts${condition(seen)} -a '(${HOSTS})'`)
  }
  return `${lines.join('\n')}\n`
}

export function completionScript(program: Command, shell: Shell): string {
  const tree = nodes(program)
  if (shell === 'bash') return bash(tree)
  return shell === 'zsh' ? zsh(tree) : fish(tree)
}
