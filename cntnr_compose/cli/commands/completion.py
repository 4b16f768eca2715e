"""`cntnr completion`: print the script that completes command lines of `cntnr` in a shell."""

from cntnr_compose.cli.display import stdout
from cntnr_compose.cli.parser.options import argument, command

# They pass on what `__complete` answers: words, and last how the shell is to go on (`parser.completion`).
BASH = r"""# Completion of cntnr and docker-compose for bash.
_cntnr() {
  local text=${COMP_LINE:0:COMP_POINT} word stripped line directive
  local -a words=() lines=()
  local i
  # bash splits words at = and : too; what no blank stands between is one word.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    stripped=${text#"${text%%[![:space:]]*}"}
    ((i == COMP_CWORD)) && word=$stripped
    if ((i > 0)) && [[ $stripped == "$text" ]]; then
      words[${#words[@]}-1]+=$word
    else
      words+=("$word")
    fi
    text=${stripped#"$word"}
  done
  local program=${words[0]/#\~/$HOME} current=${words[${#words[@]}-1]}
  while IFS= read -r line; do lines+=("$line"); done \
    < <("$program" __completeNoDesc "${words[@]:1}" 2>/dev/null </dev/null)
  ((${#lines[@]})) || return 0
  directive=${lines[${#lines[@]}-1]#:}
  unset "lines[${#lines[@]}-1]"
  local prefix= kept=
  if [[ $current == --*=* ]]; then
    prefix=${current%%=*}=
    [[ $COMP_WORDBREAKS == *=* ]] || kept=$prefix
  fi
  # What stands before the last : or = is a word of its own to bash.
  local value=${current#"$prefix"} part=
  [[ $COMP_WORDBREAKS == *:* && $value == *:* ]] && part=${value%"${value##*:}"}
  COMPREPLY=()
  for line in "${lines[@]}"; do
    COMPREPLY+=("$kept${line#"$part"}")
  done
  ((directive & 2)) && compopt -o nospace
  if ((directive & 16)); then
    while IFS= read -r line; do COMPREPLY+=("$kept$line"); done < <(compgen -d -- "$value")
    compopt -o filenames
  elif ((!(directive & 4) && ${#COMPREPLY[@]} == 0)); then
    while IFS= read -r line; do COMPREPLY+=("$kept$line"); done < <(compgen -f -- "${value#"$part"}")
    compopt -o filenames
  fi
  return 0
}
complete -F _cntnr cntnr docker-compose
"""

ZSH = r"""#compdef cntnr docker-compose
# Completion of cntnr and docker-compose for zsh.
_cntnr() {
  local -a lines proposals match mbegin mend
  local line directive current=${words[CURRENT]}
  lines=("${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null </dev/null)}")
  directive=${lines[-1]#:}
  [[ $directive == <-> ]] || return 1
  lines=("${(@)lines[1,-2]}")
  [[ $current == --*=* ]] && compset -P '*='
  for line in "${lines[@]}"; do
    [[ -n $line ]] || continue
    line=${line//:/\\:}
    proposals+=("${line/$'\t'/:}")
  done
  local -a more
  ((directive & 2)) && more=(-S '')
  if ((${#proposals})); then
    _describe -V 'cntnr' proposals "${more[@]}"
    return
  fi
  if ((directive & 16)); then
    _files -/
  elif ((!(directive & 4))); then
    _files
  fi
}
compdef _cntnr cntnr docker-compose
if [[ ${funcstack[1]} == _cntnr ]]; then
  _cntnr "$@"
fi
"""

FISH = r"""# Completion of cntnr and docker-compose for fish.
function __cntnr_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l lines ($program __complete $words "$current" 2>/dev/null </dev/null)
    test (count $lines) -gt 0; or return
    set -l directive (string replace ':' '' -- $lines[-1])
    set -e lines[-1]
    set -l prefix (string match -r -- '^--[^=]*=' "$current")
    for line in $lines
        echo -- "$prefix$line"
    end
    test (count $lines) -gt 0; and return
    set -l value (string replace -- "$prefix" '' "$current")
    if test (math "bitand($directive, 16)") -gt 0
        for path in (__fish_complete_directories "$value")
            echo -- "$prefix$path"
        end
    else if test (math "bitand($directive, 4)") -eq 0
        for path in (__fish_complete_path "$value")
            echo -- "$prefix$path"
        end
    end
end
complete -c cntnr -f -a '(__cntnr_complete)'
complete -c docker-compose -f -a '(__cntnr_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@command("bash|zsh|fish", of_project=False)
@argument("shell", kind=tuple(SCRIPTS))
def completion(shell: str) -> None:
    """Print the script that completes command lines of cntnr in a shell.

    It offers verbs, flags and their values, services, profiles, projects and containers. bash, in
    ~/.bashrc: `source <(cntnr completion bash)`. zsh, in ~/.zshrc after compinit: `source <(cntnr completion
    zsh)`. fish: `cntnr completion fish > ~/.config/fish/completions/cntnr.fish`.
    """
    stdout.write(SCRIPTS[shell])
