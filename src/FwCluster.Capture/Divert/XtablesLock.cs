namespace FwCluster.Capture.Divert;

/// <summary>
/// The file by which users of iptables-legacy wait for each other (iptables/xshared.c). It is root's, and iptables-legacy does not go on without one.
/// A process that may not open it has one of its own; then nobody waits for it, nor it for others, and of two changes at the same moment
/// one may be lost. A change of ours that was lost is repaired (<see cref="DivertRules"/>). Whoever wants the host's lock to be used lets the
/// daemon's group read that file.
/// </summary>
internal static class XtablesLock
{
    /// <summary>The environment variable that names another file.</summary>
    public const string Variable = "XTABLES_LOCKFILE";

    private const string Usual = "/run/xtables.lock";

    private static readonly Lazy<string?> Own = new(() => MayOpen(Usual) ? null : Make());

    /// <summary>The file that this process gives to iptables; null where it gives none.</summary>
    public static string? Instead => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable)) ? Own.Value : null;

    private static bool MayOpen(string path)
    {
        try
        {
            // As iptables makes it, where it is not there yet.
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Read, Share = FileShare.ReadWrite };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var file = new FileStream(path, options);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Where nobody else can open it, and keep us waiting.</summary>
    private static string Make()
    {
        if (Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY") is { Length: > 0 } service) // systemd's, several with colons between
            return Path.Combine(service.Split(':')[0], "xtables.lock");
        var folder = Directory.CreateTempSubdirectory("fwclusterd-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // An empty file stays.
            }
        };
        return Path.Combine(folder, "xtables.lock");
    }
}
