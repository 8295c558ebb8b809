using FwCluster.Referee;

namespace FwCluster.EndToEnd.Tests.Documents;

/// <summary>Checks a command of a document without running it: the program is one that there is, its files are in the repository, and what is ours is asked about its
/// subcommands, options and settings.</summary>
internal static class CommandCheck
{
    /// <summary>Programs that documents may name and a machine with the tests need not have.</summary>
    private static readonly HashSet<string> Programs =
    [
        "[", "apt", "bash", "bench", "cat", "cd", "chgrp", "chmod", "chown", "cp", "curl", "cut", "diff", "dotnet", "editcap", "echo", "exit", "export", "grep", "helm", "install",
        "ip", "ip6tables", "ip6tables-restore", "ip6tables-save", "iptables", "iptables-restore", "iptables-save", "journalctl", "kubectl", "ls", "mkdir", "mv", "openssl", "ping", "rm", "scp",
        "sed", "setpriv", "sleep", "sort", "source", "ss", "sudo", "sysctl", "systemctl", "systemd-sysusers", "tar", "tshark", "uniq", "vsftpd", "wireshark",
    ];

    /// <summary>Programs that run another one, which stands behind.</summary>
    private static readonly HashSet<string> Around = ["sudo", "ip", "setpriv", "env", "timeout", "kubectl"];

    /// <summary>What is wrong with it; null for nothing.</summary>
    public static string? WhatIsWrong(IReadOnlyList<string> words)
    {
        var program = words[0];
        if (program == "dotnet") return OfDotnet(words);
        if (program == "helm") return OfHelm(words);
        if (program.Contains('/', StringComparison.Ordinal)) return OfFile(program);
        var ours = Around.Contains(program) ? words.ToList().FindIndex(word => word is "fwctl" or "fwclusterd") : 0;
        if (ours < 0) ours = 0;
        switch (words[ours])
        {
            case "fwctl": return ProductWords.WrongInFwctl([.. words.Skip(ours + 1)]);
            case "fwclusterd": return ProductWords.WrongInDaemon([.. words.Skip(ours + 1)]);
        }
        if (program == "sudo" && words.Count > 1)
            return WhatIsWrong([.. words.Skip(1).SkipWhile(word => word.StartsWith('-'))]);
        return Programs.Contains(program) ? null : $"which program is {program}?";
    }

    private static string? OfDotnet(IReadOnlyList<string> words)
    {
        var all = words.ToList();
        var at = words[1] == "build" ? 2 : all.IndexOf("--project") + 1;
        if (words[1] is not ("build" or "run") || at == 0) return null;
        var project = words[at];
        if (!File.Exists(Path.Combine(Repository.Root, project, Path.GetFileName(project) + ".csproj"))) return $"there is no project {project}";
        var behind = all.IndexOf("--");
        return project == "src/FwCluster.Cli" && behind > 0 ? ProductWords.WrongInFwctl([.. words.Skip(behind + 1)]) : null;
    }

    private static string? OfHelm(IReadOnlyList<string> words)
    {
        for (var i = 1; i + 1 < words.Count; i++)
        {
            var path = Path.Combine(Repository.Root, words[i]);
            if (words[i].StartsWith("charts/", StringComparison.Ordinal) && !File.Exists(path) && !File.Exists(Path.Combine(path, "Chart.yaml"))) return $"there is no chart {words[i]}";
            if (words[i] is not ("--set" or "--set-file" or "--set-string")) continue;
            foreach (var assignment in words[i + 1].Split(','))
                if (!ProductWords.IsChartValue(assignment.Split('=')[0])) return $"the chart has no value {assignment}";
        }
        return null;
    }

    private static string? OfFile(string program)
    {
        if (program.StartsWith('/')) return null;
        // What a build makes is not there before: the project is.
        var path = program.Contains("/bin/Release/", StringComparison.Ordinal) ? program[..program.IndexOf("/bin/Release/", StringComparison.Ordinal)] : program;
        path = Path.Combine(Repository.Root, path);
        return File.Exists(path) || Directory.Exists(path) ? null : $"there is no {program}";
    }
}
