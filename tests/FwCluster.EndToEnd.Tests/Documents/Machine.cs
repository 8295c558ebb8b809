using System.Globalization;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>
/// A machine that a document is about: a network namespace, with a terminal in which /etc, /var and /run are its own and whatever is written there is gone
/// afterwards. What a container has not got is put in the place of the machine's own: systemctl starts the daemon as its unit says, without systemd's
/// sandbox; apt leaves what the package leaves in /etc (packaging/test-deb.sh installs the package itself); scp copies to the machine of that name.
/// </summary>
internal sealed class Machine : IDisposable
{
    // $1: a folder; $2: the machine's name; then the shell.
    private const string Prelude = """
        mkdir -p "$1/own" "$1/fwcluster"
        mount -t tmpfs tmpfs "$1/own"
        for folder in etc var; do
            mkdir "$1/own/$folder" "$1/own/$folder.work"
            mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$1/own/$folder,workdir=$1/own/$folder.work" "/$folder"
        done
        mount -t tmpfs -o mode=755 tmpfs /run
        mkdir -p /etc/fwcluster
        mount --bind "$1/fwcluster" /etc/fwcluster
        echo 'fwcluster:x:64053:64053::/nonexistent:/usr/sbin/nologin' >> /etc/passwd
        echo 'fwcluster:x:64053:' >> /etc/group
        hostname "$2"
        shift 2
        exec "$@"
        """;

    private const string Systemctl = """
        #!/bin/bash
        # The unit is packaging/fwclusterd.service.
        set -e
        pid=/run/fwclusterd.pid log=/var/log/fwclusterd.journal
        stop() {
            [ -e $pid ] || return 0
            kill -TERM "$(cat $pid)"
            while kill -0 "$(cat $pid)" 2> /dev/null; do sleep 0.02; done
            rm $pid
        }
        start() {
            install -d -o fwcluster -g fwcluster -m 750 /run/fwclusterd /var/lib/fwcluster /var/log/fwcluster
            setsid setpriv --reuid=fwcluster --regid=fwcluster --clear-groups --no-new-privs --inh-caps=-all,+net_admin,+net_raw \
                --ambient-caps=-all,+net_admin,+net_raw --bounding-set=-all,+net_admin,+net_raw \
                $(sed -n 's|^ExecStart=/usr/bin/||p' "$MACHINES/fwclusterd.service") >> $log 2>&1 < /dev/null &
            echo $! > $pid
            for ((i = 0; i < 600; i++)); do
                if curl -sf --max-time 5 --unix-socket /run/fwclusterd/state.sock http://localhost/readyz > /dev/null; then return; fi
                kill -0 $! 2> /dev/null || break
                sleep 0.05
            done
            echo "the daemon did not get ready" >&2
            tail -n 20 $log >&2
            exit 1
        }
        case "$*" in
            "restart fwclusterd") stop; start ;;
            "start fwclusterd") start ;;
            "stop fwclusterd") stop ;;
            "reload fwclusterd") kill -HUP "$(cat $pid)" ;;
            "is-active fwclusterd") [ -e $pid ] && kill -0 "$(cat $pid)" && echo active ;;
            "enable fwclusterd" | daemon-reload) ;;
            *) echo "systemctl: a document's test knows nothing of: $*" >&2; exit 1 ;;
        esac
        """;

    private const string Apt = """
        #!/bin/bash
        set -e
        case "$1 $2" in
            "install ./fwcluster_"*.deb) ;;
            *) echo "apt: a document's test knows nothing of: $*" >&2; exit 1 ;;
        esac
        [ -e /etc/fwcluster/fwclusterd.yaml ] || fwclusterd --show-config > /etc/fwcluster/fwclusterd.yaml
        chown root:fwcluster /etc/fwcluster /etc/fwcluster/fwclusterd.yaml
        chmod 750 /etc/fwcluster
        chmod 640 /etc/fwcluster/fwclusterd.yaml
        """;

    private const string Scp = """
        #!/bin/bash
        set -e
        target=${*: -1}
        case $target in
            *:/etc/fwcluster/) cp "${@:1:$#-1}" "$MACHINES/${target%%:*}/fwcluster/" ;;
            *) echo "scp: a document's test knows nothing of: $target" >&2; exit 1 ;;
        esac
        """;

    private readonly NetworkNamespace _where;

    /// <summary>Starts it.</summary>
    /// <param name="where">Its network.</param>
    /// <param name="name">What the document calls it.</param>
    /// <param name="machines">A folder for all machines of the document.</param>
    public Machine(NetworkNamespace where, string name, string machines)
    {
        _where = where;
        Name = name;
        var folder = Path.Combine(machines, name);
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(Repository.Root, "packaging", "fwclusterd.service"), Path.Combine(machines, "fwclusterd.service"), overwrite: true);
        Terminal = new Terminal("env", $"MACHINES={machines}", "ip", "netns", "exec", where.Name, "unshare", "--mount", "--uts", "--propagation", "private",
            "sh", "-ec", Prelude, "sh", folder, name);
        Terminal.AddProgram("systemctl", Systemctl);
        Terminal.AddProgram("apt", Apt);
        Terminal.AddProgram("scp", Scp);
        Terminal.AddProgram("journalctl", "#!/bin/sh\n[ \"$1 $2\" = '-u fwclusterd' ] && cat /var/log/fwclusterd.journal\n");
    }

    /// <summary>What the document calls it.</summary>
    public string Name { get; }

    /// <summary>Its terminal.</summary>
    public Terminal Terminal { get; }

    /// <summary>Makes machines of these names in these networks, and follows pages, block by block, at the machines that they name, or at the first
    /// one; a block for several is pasted at all of them at once.</summary>
    public static void Follow(IEnumerable<(string Name, NetworkNamespace Where)> hosts, params IReadOnlyList<string> pages)
    {
        var folder = Directory.CreateTempSubdirectory("fwt-machines-").FullName;
        Command.Run("chmod", ["755", folder]);
        var machines = new List<Machine>();
        try
        {
            foreach (var (name, where) in hosts) machines.Add(new Machine(where, name, folder));
            foreach (var page in pages)
            {
                var blocks = Document.Of(page).Blocks.Where(block => block.IsRun).ToList();
                Assert.NotEmpty(blocks);
                foreach (var block in blocks) Paste(block, machines);
            }
        }
        finally
        {
            foreach (var machine in machines) machine.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Paste(DocumentBlock block, List<Machine> machines)
    {
        var at = (block.Host ?? machines[0].Name).Split(", ").Select(name => machines.Single(machine => machine.Name == name));
        var tasks = at.Select(machine => Task.Factory.StartNew(() => machine.Terminal.Paste(block), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        foreach (var task in tasks.ToList()) task.GetAwaiter().GetResult();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // What it started, such as the daemon, is no child of the terminal any more.
        foreach (var process in Command.TryRun("ip", ["netns", "pids", _where.Name]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            _ = Tmds.Linux.LibC.kill(int.Parse(process, CultureInfo.InvariantCulture), 9);
        Terminal.Dispose();
    }
}
