// The scripts that bash and zsh load: each asks the console itself, and falls back to files where those may stand.

const BASH = `# completion of madhava for bash: eval "$(madhava completion bash)"
_madhava() {
  local line="\${COMP_LINE:0:COMP_POINT}" cur="\${COMP_WORDS[COMP_CWORD]}" answer word typed
  COMPREPLY=()
  # bash parts words at = and :, the console does not
  typed="\${line##*[[:space:]]}"
  local before="\${typed%"$cur"}"
  while IFS= read -r word; do
    case "$word" in
      :files)
        local path="\${typed##*[=@]}"
        local head="\${typed%"$path"}"
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do
          word="$head$word"
          COMPREPLY+=("\${word#"$before"}")
        done < <(compgen -f -- "$path")
        ;;
      *)
        COMPREPLY+=("\${word#"$before"}")
        ;;
    esac
  done < <(command madhava complete-line "$line" 2>/dev/null)
  if [ "\${#COMPREPLY[@]}" -eq 1 ]; then
    case "\${COMPREPLY[0]}" in *=|*@) compopt -o nospace 2>/dev/null ;; esac
  fi
}
complete -F _madhava madhava
`

const ZSH = `#compdef madhava
# completion of madhava for zsh: eval "$(madhava completion zsh)"
_madhava() {
  local line="\${(j: :)words[1,CURRENT]}" word
  local -a found open
  local files=0
  for word in "\${(@f)$(command madhava complete-line "$line" 2>/dev/null)}"; do
    case "$word" in
      '') ;;
      :files) files=1 ;;
      *=|*@) open+=("$word") ;;
      *) found+=("$word") ;;
    esac
  done
  (( \${#found} )) && compadd -- "\${found[@]}"
  (( \${#open} )) && compadd -S '' -- "\${open[@]}"
  if (( files )); then
    compset -P '*[=@]'
    _files
  fi
  return 0
}
if [ "\${funcstack[1]:-}" = "_madhava" ]; then
  _madhava "$@"
elif (( $+functions[compdef] )); then
  compdef _madhava madhava
fi
`

export const SCRIPTS = { bash: BASH, zsh: ZSH } as const
export type ShellName = keyof typeof SCRIPTS
