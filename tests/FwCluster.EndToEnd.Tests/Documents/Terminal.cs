using System.Diagnostics;
using System.Globalization;
using System.Text;
using FwCluster.Referee;
using FwCluster.Referee.Lab;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>
/// A shell into which a person pastes a document's blocks, one after the other: variables, functions and the folder stay from block to block. It is
/// in a folder of its own, with the repository's folders in it. <c>dotnet build</c> and <c>dotnet run --project src/FwCluster.Cli</c> do what the suite has built.
/// </summary>
internal sealed class Terminal : IDisposable
{
    private const string End = "-- end of block ";

    // What a person who types these has: the SDK, and the right to be root.
    private const string DotnetProgram = """
        #!/bin/bash
        case "$1 $2 $3" in
            "run --project src/FwCluster.Cli") shift 4; exec fwctl "$@" ;;
            "build src/FwCluster."*) [ -e "$2/$(basename "$2").csproj" ] || { echo "there is no $2" >&2; exit 1; } ;;
            *) echo "dotnet: a document's test knows nothing of: $*" >&2; exit 1 ;;
        esac
        """;
    private const string SudoProgram = "#!/bin/sh\n[ \"$1\" = -E ] && shift\nexec \"$@\"\n";

    private readonly Process _shell;
    private readonly StringBuilder _said = new();
    private int _blocks;

    /// <summary>Opens it.</summary>
    /// <param name="around">A program and its arguments within which the shell runs, such as <c>ip netns exec NAME</c>; empty for none.</param>
    public Terminal(params IReadOnlyList<string> around)
    {
        Folder = Directory.CreateTempSubdirectory("fwt-terminal-").FullName;
        foreach (var name in (string[])["examples", "src", "charts", "packaging", "docs", "deploy"])
            File.CreateSymbolicLink(Path.Combine(Folder, name), Path.Combine(Repository.Root, name));
        Programs = Path.Combine(Folder, ".programs");
        Directory.CreateDirectory(Programs);
        AddProgram("dotnet", DotnetProgram);
        AddProgram("sudo", SudoProgram);
        var path = $"{Programs}:{AppContext.BaseDirectory.TrimEnd('/')}:{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin";
        IReadOnlyList<string> words = [.. around, "env", "LC_ALL=C.UTF-8", $"PATH={path}", $"HOME={Folder}", "bash", "--noprofile", "--norc", "-c", "exec 2>&1; exec bash --noprofile --norc"];
        var start = new ProcessStartInfo(words[0], words.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = Folder };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("FWCLUSTER_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        _shell = Process.Start(start)!;
    }

    /// <summary>The folder in which it begins.</summary>
    public string Folder { get; }

    /// <summary>Where programs are that are found before others.</summary>
    private string Programs { get; }

    /// <summary>All that was printed so far.</summary>
    public string Said => _said.ToString();

    /// <summary>Puts a program in the place of the machine's own.</summary>
    public void AddProgram(string name, string script)
    {
        var file = Path.Combine(Programs, name);
        File.WriteAllText(file, script);
        Command.Run("chmod", ["755", file]);
    }

    /// <summary>Pastes a block and waits until it is done.</summary>
    /// <returns>The exit code of the last command that failed, 0 where none did, and what was printed.</returns>
    /// <exception cref="CommandFailedException">It did not end in time, or the shell ended.</exception>
    public (int ExitCode, string Printed) Paste(string commands, TimeSpan? patience = null)
    {
        var file = Path.Combine(Programs, string.Create(CultureInfo.InvariantCulture, $"block-{++_blocks}"));
        // A failure counts where a person would see it: not that of a condition.
        File.WriteAllText(file, $"trap 'failed=$?' ERR\n{commands}\ntrap - ERR\n");
        _shell.StandardInput.Write($"failed=0; . {file} < /dev/null; printf '%s%d\\n' '{End}' $failed\n");
        _shell.StandardInput.Flush();
        var printed = new StringBuilder();
        using var late = new Timer(_ => Kill(), null, patience ?? TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
        while (_shell.StandardOutput.ReadLine() is { } line)
        {
            var end = line.IndexOf(End, StringComparison.Ordinal);
            printed.Append(end < 0 ? line + "\n" : line[..end]);
            if (end < 0) continue;
            _said.Append(printed);
            return (int.Parse(line.AsSpan(end + End.Length), CultureInfo.InvariantCulture), printed.ToString());
        }
        throw new CommandFailedException($"this did not come to its end:\n{commands}\n{_said}{printed}");
    }

    /// <summary>Pastes a block of a document; fails where it does not go as the document says.</summary>
    public void Paste(DocumentBlock block)
    {
        var (code, printed) = Paste(block.Text);
        if (block.Prints is { } prints) prints.Check(block.Place, code, printed);
        else Assert.True(code == 0, $"{block.Place}: ends with {code}:\n{Said}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        _shell.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private void Kill()
    {
        try
        {
            _shell.Kill(entireProcessTree: true);
            _shell.WaitForExit(TimeSpan.FromSeconds(5));
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }
}
