// Shell scripts that ask the program itself for candidates, in the protocol of @bomb.sh/tab.

/** No candidates: complete file names. */
export const FILES = ':0'

// tab's bash script evaluates the typed text, needs the package bash-completion, and repeats text before a
// colon.
export const bash = `_redlight() {
  local line=\${COMP_LINE:0:COMP_POINT} candidate words word
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    case $candidate in
      ${FILES}) ;;
      :*) compopt +o default 2> /dev/null ;;
      "$word"*) [[ $word == *:* ]] && candidate=\${candidate#"\${word%:*}:"}; COMPREPLY+=("$candidate") ;;
    esac
  done < <("\${words[0]/#\\~\\//$HOME/}" complete -- "\${words[@]:1}" 2> /dev/null)
}
complete -o default -F _redlight redlight`

// tab's zsh script takes text after a colon for a description.
export const zsh = `#compdef redlight
_redlight() {
  local line
  local -a candidates
  for line in \${(f)"$("\${words[1]/#\\~\\//$HOME/}" complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)"}; do
    case $line in
      ${FILES}) _files ;;
      :*) ;;
      *) candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  _describe redlight candidates
}
if [[ $funcstack[1] == _redlight ]]; then _redlight "$@"; else compdef _redlight redlight; fi`
