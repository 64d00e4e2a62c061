# Waits until standard input ends, which the end of the process that holds it brings about, however
# that comes; then stops what runs in the directory $0 and deletes it.

# The servers have a working directory of their own. Without /proc, the files that name them do.
running() {
    if [ -e /proc/self/cwd ]; then
        for process in /proc/[0-9]*; do
            if [ "$process/cwd" -ef "$0" ] || [ "$process/cwd" -ef "$0/data" ]; then
                echo "${process#/proc/}"
            fi
        done
    else
        for file in "$0/data/postmaster.pid" "$0/pgbouncer.pid" "$0/redis.pid"; do
            process=$(head -n 1 "$file") && kill -s 0 "$process" && echo "$process"
        done
    fi
}

signal() {
    for process in $(running); do
        kill -s "$1" "$process"
    done
}

read -r _
signal CONT
signal QUIT
tries=100
while [ -n "$(running)" ] && [ "$tries" -gt 0 ]; do
    sleep 0.05
    tries=$((tries - 1))
done
signal KILL

# A server that was killed leaves this file, and with it a System V segment.
if [ -e "$0/data/postmaster.pid" ]; then
    segment=$(sed -n 7p "$0/data/postmaster.pid")
    ipcrm -m "${segment##* }"
fi
rm -rf "$0"
