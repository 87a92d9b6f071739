"""A Slurm of its own on this machine: munged, slurmctld and slurmd with private keys, ports and files; one node.

    python3 local_slurm.py FOLDER     starts it, prints the configuration file, and stops all of it at the end of its input

With SLURM_CONF set to that file, sbatch, squeue and the like talk to it, and to no other Slurm. Nothing outlives it: the
process that starts the daemons adopts whatever they leave behind, job steps too, and ends when its input closes, so also
when the tests are killed."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "srun", "scontrol", "sinfo", "squeue", "scancel")
# Until the daemons listen; until what does not end by itself is killed; until all is gone.
START_S, KILL_S, STOP_S = 30, 10, 60
# Jobs that may share a CPU: the tests mostly wait.
JOBS_AT_ONCE = 12
# Any device passes for a GPU: Slurm only counts them and tells jobs their numbers.
GPUS = ("/dev/null", "/dev/zero")
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"

# Not CPUs beyond those that exist: ranks are bound to them. TmpFS, or job 1 of this Slurm would meet the files of job 1 of another
# one in /tmp. cred_expire also shortens the two minutes that Slurm waits before it starts a requeued job.
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=10
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
TmpFS={folder}/tmp
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
KillWait=5
MinJobAge=600
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mib} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE OverSubscribe=FORCE:{jobs} State=UP
PartitionName=other Nodes={host} MaxTime=INFINITE OverSubscribe=FORCE:{jobs} State=UP
"""


class CannotStart(Exception):
    """Why there is no Slurm on this machine."""


def missing():
    return [program for program in (*DAEMONS, *CLIENTS) if not shutil.which(program, path=PATH)]


def free_ports(count):
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def memory_mib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20


def children():
    """Process -> parent, of everything that this process started or adopted."""
    parents = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    found = {os.getpid()}
    while True:
        more = {process for process, parent in parents.items() if parent in found} - found
        if not more:
            return found - {os.getpid()}
        found |= more


class Supervisor:
    """Starts the daemons, and stops them with all that they started."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.configuration = self.folder / "slurm.conf"
        self.environment = {**os.environ, "PATH": PATH, "SLURM_CONF": str(self.configuration)}
        self.daemons = []

    def start(self):
        adopt_orphans()
        self.write_files()
        # --force: the folder may be in one that is closed to other users.
        self.daemon("munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key", f"--socket={self.folder}/munge.socket",
                    f"--pid-file={self.folder}/munged.pid", f"--log-file={self.folder}/munged.log",
                    f"--seed-file={self.folder}/munge.seed", "--num-threads=2")  # fmt: skip
        self.wait_until((self.folder / "munge.socket").exists)
        self.daemon("slurmctld", "-D", "-c", "-f", self.configuration)
        self.daemon("slurmd", "-D", "-f", self.configuration)
        self.wait_until(self.idle)

    def write_files(self):
        """With the modes that the daemons insist on."""
        for part in ("state", "spool", "tmp"):
            (self.folder / part).mkdir(parents=True)
        self.folder.chmod(0o755)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        controller_port, node_port = free_ports(2)
        self.configuration.write_text(CONFIGURATION.format(
            folder=self.folder, host=socket.gethostname().split(".")[0], user=os.geteuid(), cpus=max(2, os.cpu_count()),
            memory_mib=memory_mib(), controller_port=controller_port, node_port=node_port, gpus=len(GPUS), jobs=JOBS_AT_ONCE))  # fmt: skip
        (self.folder / "gres.conf").write_text("".join(f"Name=gpu File={device}\n" for device in GPUS))

    def daemon(self, *command):
        with open(self.folder / f"{command[0]}.out", "w") as output:
            self.daemons.append(subprocess.Popen(list(map(str, command)), env=self.environment, stdin=subprocess.DEVNULL,
                                                 stdout=output, stderr=output))  # fmt: skip

    def idle(self):
        answer = subprocess.run(["sinfo", "--noheader", "--format=%T"], env=self.environment, capture_output=True, text=True)
        return set(answer.stdout.split()) == {"idle"}

    def wait_until(self, condition):
        end = time.monotonic() + START_S
        while not condition():
            ended = [daemon.args[0] for daemon in self.daemons if daemon.poll() is not None]
            if ended or time.monotonic() > end:
                problem = f"{ended[0]} ended" if ended else f"not ready after {START_S} s"
                raise CannotStart(f"{problem}: {self.last_words()}")
            time.sleep(0.1)

    def last_words(self):
        lines = []
        for daemon in self.daemons:
            for log in (self.folder / f"{daemon.args[0]}.{end}" for end in ("log", "out")):
                lines += log.read_text(errors="replace").splitlines()[-2:] if log.exists() else []
        return " | ".join(lines)

    def stop(self):
        """Jobs first, then the daemons, then what they left. \\return whether all is gone"""
        if self.configuration.exists() and len(self.daemons) == len(DAEMONS):
            subprocess.run(["scancel", "--full", "--signal=KILL", f"--user={os.geteuid()}"], env=self.environment,
                           capture_output=True, timeout=STOP_S)  # fmt: skip
        for daemon in reversed(self.daemons):
            daemon.terminate()
        begin = time.monotonic()
        while children() and time.monotonic() < begin + STOP_S:
            if time.monotonic() > begin + KILL_S:
                for process in children():
                    send(process, signal.SIGKILL)
            reap()
            time.sleep(0.1)
        return not children()


def adopt_orphans():
    PR_SET_CHILD_SUBREAPER = 36
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise CannotStart("this system cannot say which processes belong to a job")


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def send(process, number):
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass


def say(text):
    try:
        print(text, flush=True)
    except BrokenPipeError:
        pass  # nobody listens any more


def supervise(folder):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    supervisor = Supervisor(folder)
    try:
        supervisor.start()
        say(supervisor.configuration)
        sys.stdin.read()
    except CannotStart as reason:
        say(f"cannot start: {reason}")
    finally:
        say("stopped" if supervisor.stop() else f"still there: {children()}")


class LocalSlurm:
    """The supervisor, as the tests see it: \\throws CannotStart."""

    def __init__(self, folder):
        self.folder = Path(folder)
        # Not a child of the tests, or whoever kills these with their children would kill the supervisor before its work.
        self.supervisor = subprocess.Popen(["setsid", "--fork", sys.executable, "-B", __file__, str(folder)],
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
        said = self.supervisor.stdout.readline().strip()
        if not said.endswith("slurm.conf"):
            self.stop()
            raise CannotStart(said)
        self.environment = {"SLURM_CONF": said, "PATH": PATH}

    def stop(self):
        """\\return what the supervisor said last"""
        self.supervisor.stdin.close()
        said = self.supervisor.stdout.read().strip()
        self.supervisor.stdout.close()
        self.supervisor.wait()
        return said


if __name__ == "__main__":
    supervise(sys.argv[1])
