# bash completion for steward(8). A unit test holds it to the table of verbs in src/cli/verbs.cpp.

_steward_services() {
    steward list "$@" --color never 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_steward() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local verbs="run start stop restart try-restart condrestart reload force-reload reexec status logs signal list show check generate install uninstall enable disable apply help"
    local common="--user --system --here --json -q --quiet -v --verbose --color -h --help --version"
    local verb="" scope=() named="" separator=0 options i word
    COMPREPLY=()

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            --) separator=$i; break ;;
            --user | --system) scope=("$word") ;;
            --name | --name=*) named=1 ;;&
            --name | --color | --timeout | -n | --lines | -S | --since | -U | --until | -g | --grep | --init | --scripts | --destdir | --root)
                # Where bash splits at '=', the value is two words further.
                [[ ${COMP_WORDS[i+1]} == "=" ]] && ((i++))
                ((i++)) ;;
            -*) ;;
            *) [[ -z $verb ]] && verb=$word ;;
        esac
    done

    if ((separator)) && [[ -n $named ]]; then
        if ((COMP_CWORD == separator + 1)); then
            mapfile -t COMPREPLY < <(compgen -c -- "$cur")
        fi
        compopt -o default
        return
    fi

    [[ $prev == "=" ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
    [[ $cur == "=" ]] && cur=""
    case $prev in
        --color)
            mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur")
            return ;;
        --init)
            mapfile -t COMPREPLY < <(compgen -W "systemd sysv openrc runit s6 dinit none" -- "$cur")
            return ;;
        --scripts)
            mapfile -t COMPREPLY < <(compgen -W "deb rpm" -- "$cur")
            return ;;
        --destdir | --root)
            mapfile -t COMPREPLY < <(compgen -d -S / -- "$cur")
            return ;;
        -S | --since | -U | --until)
            mapfile -t COMPREPLY < <(compgen -W "today yesterday" -- "$cur")
            return ;;
        --timeout | --name | -n | --lines | -g | --grep) return ;;
    esac

    case $verb in
        run) options="--all --name" ;;
        start) options="--no-wait --timeout --name" ;;
        restart | try-restart | condrestart | force-reload) options="--no-wait --timeout" ;;
        reexec) options="--all" ;;
        status) options="-n --lines" ;;
        list) options="--tree" ;;
        logs) options="-n --lines -f --follow -S --since -U --until -g --grep --rotate --reopen" ;;
        check) options="--init --strict" ;;
        generate) options="--init --scripts --destdir --without-steward --strict" ;;
        install) options="--init --now --root --force --strict --dry-run" ;;
        uninstall) options="--root --force --purge --dry-run" ;;
        enable | disable) options="--root --dry-run" ;;
        apply) options="--dry-run" ;;
        *) options="" ;;
    esac

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$cur")
    elif [[ -z $verb || $verb == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
    elif [[ $verb == signal && $prev == signal ]]; then
        mapfile -t COMPREPLY < <(compgen -W "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH" -- "$cur")
    else
        mapfile -t COMPREPLY < <(compgen -W "$(_steward_services "${scope[@]}")" -- "$cur"; compgen -f -X '!*.toml' -- "$cur"; compgen -d -S / -- "$cur")
        [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
        declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
    fi
}

complete -F _steward steward
