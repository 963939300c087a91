# fish completion for steward(8). A unit test holds it to the table of verbs in src/cli/verbs.cpp.

set -g __steward_verbs run start stop restart try-restart condrestart reload force-reload reexec status logs signal list show check generate install uninstall enable disable apply help

function __steward_services
    set -l scope
    contains -- --user (commandline -opc); and set scope --user
    contains -- --system (commandline -opc); and set scope --system
    steward list $scope --color never 2>/dev/null | awk 'NR > 1 { print $1 }'
end

function __steward_needs_verb
    not __fish_seen_subcommand_from $__steward_verbs
end

function __steward_wants_service
    __fish_seen_subcommand_from run start stop restart try-restart condrestart reload force-reload reexec status logs list show check generate install uninstall enable disable apply
    and not contains -- -- (commandline -opc)
end

function __steward_wants_signal
    test (commandline -opc)[-1] = signal
end

function __steward_wants_signalled
    __fish_seen_subcommand_from signal; and not __steward_wants_signal
end

function __steward_wants_command
    __fish_seen_subcommand_from run start; and contains -- -- (commandline -opc)
end

complete -c steward -f

complete -c steward -n __steward_needs_verb -a run -d 'supervise in the foreground'
complete -c steward -n __steward_needs_verb -a start -d 'start in the background'
complete -c steward -n __steward_needs_verb -a stop -d 'end every process of a service'
complete -c steward -n __steward_needs_verb -a restart -d 'stop and start; start what was stopped'
complete -c steward -n __steward_needs_verb -a try-restart -d 'restart only what is running'
complete -c steward -n __steward_needs_verb -a condrestart -d 'restart only what is running'
complete -c steward -n __steward_needs_verb -a reload -d 'have a service read its configuration again'
complete -c steward -n __steward_needs_verb -a force-reload -d 'reload where that is possible, else restart'
complete -c steward -n __steward_needs_verb -a reexec -d 'replace running supervisors by the installed program'
complete -c steward -n __steward_needs_verb -a status -d 'show how services are; changes nothing'
complete -c steward -n __steward_needs_verb -a logs -d 'show what services wrote, and what steward did with them'
complete -c steward -n __steward_needs_verb -a signal -d 'send one signal to the main process'
complete -c steward -n __steward_needs_verb -a list -d 'list the services in a table'
complete -c steward -n __steward_needs_verb -a show -d "print the resolved service file, with each key's origin"
complete -c steward -n __steward_needs_verb -a check -d 'validate service files without starting anything'
complete -c steward -n __steward_needs_verb -a generate -d 'print units and scripts for init systems'
complete -c steward -n __steward_needs_verb -a install -d 'have the init system start a service at boot'
complete -c steward -n __steward_needs_verb -a uninstall -d 'stop a service and remove what install wrote'
complete -c steward -n __steward_needs_verb -a enable -d 'start a service at boot; starts nothing now'
complete -c steward -n __steward_needs_verb -a disable -d 'do not start a service at boot; stops nothing now'
complete -c steward -n __steward_needs_verb -a apply -d 'make what runs equal to its service file'
complete -c steward -n __steward_needs_verb -a help -d 'tell how to use steward, or one verb'

complete -c steward -n '__fish_seen_subcommand_from help' -a '$__steward_verbs'
complete -c steward -n __steward_wants_service -a '(__steward_services)' -d service
complete -c steward -n __steward_wants_service -k -a '(__fish_complete_suffix .toml)'
complete -c steward -n __steward_wants_signal -a 'HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH' -d signal
complete -c steward -n __steward_wants_signalled -a '(__steward_services)' -d service
complete -c steward -n __steward_wants_command -a '(__fish_complete_command)'

complete -c steward -l user -d 'only the services of the calling user'
complete -c steward -l system -d 'only the services of the system'
complete -c steward -l here -d 'act here, never through an init system'
complete -c steward -l json -d 'print one JSON document'
complete -c steward -s q -l quiet -d 'print no results, only errors'
complete -c steward -s v -l verbose -d 'tell more, and cut nothing short'
complete -c steward -l color -x -a 'auto always never' -d 'when to colour'
complete -c steward -s h -l help -d 'tell how to use steward, or the verb'
complete -c steward -l version -d 'print the version'

complete -c steward -n '__fish_seen_subcommand_from run reexec' -l all -d 'every service there is a service file for'
complete -c steward -n '__fish_seen_subcommand_from run start' -l name -x -d 'run the command after -- under this name'
complete -c steward -n '__fish_seen_subcommand_from start restart try-restart condrestart force-reload' -l no-wait -d 'return at once, not when the service is up'
complete -c steward -n '__fish_seen_subcommand_from start restart try-restart condrestart force-reload' -l timeout -x -d 'give up on the start after this long'
complete -c steward -n '__fish_seen_subcommand_from list' -l tree -d 'show what each requires and wants below it'
complete -c steward -n '__fish_seen_subcommand_from status logs' -s n -l lines -x -d 'show this many of the last log lines'
complete -c steward -n '__fish_seen_subcommand_from logs' -s f -l follow -d 'go on with the lines that come'
complete -c steward -n '__fish_seen_subcommand_from logs' -s S -l since -x -a 'today yesterday' -d 'lines from then on'
complete -c steward -n '__fish_seen_subcommand_from logs' -s U -l until -x -a 'today yesterday' -d 'lines up to then'
complete -c steward -n '__fish_seen_subcommand_from logs' -s g -l grep -x -d 'lines that match'
complete -c steward -n '__fish_seen_subcommand_from logs' -l rotate -d 'put the logs aside as if they were full'
complete -c steward -n '__fish_seen_subcommand_from logs' -l reopen -d 'begin new logs where others renamed them'
complete -c steward -n '__fish_seen_subcommand_from check generate' -l init -x -a 'systemd sysv openrc runit s6 dinit' -d 'for these init systems'
complete -c steward -n '__fish_seen_subcommand_from check generate' -l strict -d 'refuse a key that would be lost'
complete -c steward -n '__fish_seen_subcommand_from generate' -l destdir -x -a '(__fish_complete_directories)' -d 'write the files below this directory'
complete -c steward -n '__fish_seen_subcommand_from generate' -l without-steward -d 'make files for hosts that have no steward'
complete -c steward -n '__fish_seen_subcommand_from generate' -l scripts -x -a 'deb rpm' -d 'make the scripts of a package instead'
complete -c steward -n '__fish_seen_subcommand_from install' -l init -x -a 'systemd sysv openrc runit none' -d 'for this init system'
complete -c steward -n '__fish_seen_subcommand_from install' -l now -d 'start it too; restart what an update changed'
complete -c steward -n '__fish_seen_subcommand_from install' -l strict -d 'refuse a key that would be lost'
complete -c steward -n '__fish_seen_subcommand_from install uninstall' -l force -d 'replace or remove files that were edited, too'
complete -c steward -n '__fish_seen_subcommand_from uninstall' -l purge -d 'remove its logs and state, too'
complete -c steward -n '__fish_seen_subcommand_from install uninstall enable disable' -l root -x -a '(__fish_complete_directories)' -d 'change files and links in the image below this directory'
complete -c steward -n '__fish_seen_subcommand_from install uninstall enable disable apply' -l dry-run -d 'show what would change, and change nothing'
