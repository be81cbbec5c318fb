#!/usr/bin/env bash
# scan-latest.sh MACHINE...: copies the files of each machine's newest point out, a volume at a time, and gives them to a scanner.
#
# Prints a line a machine: "MACHINE: clean", "MACHINE: FOUND", or "MACHINE: FAILED" when something could not be read or scanned. Ends with 0 when
# all are clean, 1 when something was found, 2 when something failed and nothing was found.
#
#   SCANNER     the command that gets a folder as its last word and ends with 0 (clean), 1 (found) or more (failed).
#               Default: clamscan --recursive --infected --no-summary
#   VOLUMES     the volumes to scan, separated by spaces. Default: all that hold a file system
#   AFTERIMAGE  the program. Default: afterimage
#   TMPDIR      where one volume at a time has room
set -uo pipefail
afterimage=${AFTERIMAGE:-afterimage}
read -ra scanner <<<"${SCANNER:-clamscan --recursive --infected --no-summary}"

volumes() { # MACHINE
    if [[ -n ${VOLUMES:-} ]]; then
        printf '%s\n' $VOLUMES
    else
        "$afterimage" files "$1" --json | jq --raw-output '.[] | select(.files) | .name'
    fi
}

worst=0
for machine in "$@"; do
    result=clean
    names=$(volumes "$machine") || result=FAILED
    for volume in $names; do
        folder=$(mktemp -d)
        # 11: some files could not be read and were listed; the others are scanned all the same.
        "$afterimage" files "$machine:$volume" --extract "$folder" >/dev/null || result=${result/clean/FAILED}
        "${scanner[@]}" "$folder"
        case $? in
            0) ;;
            1) result=FOUND ;;
            *) result=${result/clean/FAILED} ;;
        esac
        rm -rf "$folder"
    done
    echo "$machine: $result"
    case $result in
        FOUND) worst=1 ;;
        FAILED) ((worst == 1)) || worst=2 ;;
    esac
done
exit "$worst"
