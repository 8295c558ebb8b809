using System.Globalization;

namespace FwCluster.Control.Rulesets;

/// <summary>
/// The generations on this node's disk. Each is a folder named by its number, with the texts as they were applied and a file that says who
/// applied them:
/// <code>
/// 000000000042/generation    who, when, why
/// 000000000042/ipv4.rules    as iptables-restore reads it
/// 000000000042/ipv6.rules
/// 000000000042/sets.ipset    as ipset restore reads it
/// 000000000042/confirmed     where it had to be confirmed, and was
/// 000000000042/nodes         in a cluster: the nodes that made it ready together
/// prepared/                  the same of what is made ready, and not decided yet
/// </code>
/// A folder is written under another name and renamed when everything in it is on the disk: a generation is there entirely, or not at all.
/// Calls must not overlap; reading may.
/// </summary>
public sealed class RulesetStore
{
    private const string NewPrefix = ".new-";
    private const string GenerationName = "generation";
    private const string IPv4Name = "ipv4.rules";
    private const string IPv6Name = "ipv6.rules";
    private const string SetsName = "sets.ipset";
    private const string ConfirmedName = "confirmed";
    private const string PreparedName = "prepared";

    private readonly string _folder;
    private readonly int _keep;
    private volatile RulesetGeneration[] _generations;

    private RulesetStore(string folder, int keep, RulesetGeneration[] generations)
    {
        _folder = folder;
        _keep = keep;
        _generations = generations;
    }

    /// <summary>The latest generation; <see cref="RulesetGeneration.None"/> where there is none.</summary>
    public RulesetGeneration Latest => _generations is [.., var last] ? last : RulesetGeneration.None;

    /// <summary>What was made ready and not decided; null where there is none.</summary>
    public PreparedGeneration? Prepared { get; private set; }

    /// <summary>Generations that are kept.</summary>
    public int Keep => _keep;

    /// <summary>Opens the folder, or makes it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="keep">Generations that are kept, at least 2; older ones go.</param>
    /// <exception cref="RulesetStoreException">It cannot be used, or something in it is damaged.</exception>
    public static RulesetStore Open(string folder, int keep = 1000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 2);
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var unfinished in Directory.GetDirectories(folder, NewPrefix + "*")) Directory.Delete(unfinished, recursive: true);
            return new RulesetStore(folder, keep, [.. Directory.GetDirectories(folder).Select(ReadGeneration).OfType<RulesetGeneration>().OrderBy(g => g.Number)])
            {
                Prepared = ReadPrepared(Path.Combine(folder, PreparedName)),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RulesetStoreException($"{folder}: the rulesets cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Generations, the latest first.</summary>
    /// <param name="limit">At most so many.</param>
    /// <param name="before">Only older ones than this; 0 for all.</param>
    public IReadOnlyList<RulesetGeneration> History(int limit, ulong before)
        => [.. _generations.Reverse().Where(g => before == 0 || g.Number < before).Take(limit)];

    /// <summary>The generation of this number, or null.</summary>
    public RulesetGeneration? Find(ulong number) => number == 0 ? RulesetGeneration.None : Array.Find(_generations, g => g.Number == number);

    /// <summary>The rules of a generation.</summary>
    /// <exception cref="RulesetStoreException">They cannot be read, or are not what was applied.</exception>
    public RulesetTexts Read(RulesetGeneration generation)
    {
        ArgumentNullException.ThrowIfNull(generation);
        return generation.Number == 0 ? RulesetTexts.Empty : Read(generation, FolderOf(generation.Number));
    }

    /// <summary>The rules of <see cref="Prepared"/>.</summary>
    /// <exception cref="RulesetStoreException">They cannot be read, or are not what was made ready.</exception>
    public RulesetTexts ReadPrepared() => Read(Prepared!.Generation, Path.Combine(_folder, PreparedName));

    /// <summary>Writes a generation. It is on the disk when this returns.</summary>
    /// <param name="generation">The generation; its number is greater than that of <see cref="Latest"/>.</param>
    /// <param name="texts">Its rules.</param>
    /// <exception cref="RulesetStoreException">It cannot be written; it is not there then.</exception>
    public void Add(RulesetGeneration generation, RulesetTexts texts)
    {
        ArgumentNullException.ThrowIfNull(generation);
        if (generation.Number <= Latest.Number) throw new ArgumentException($"generation {generation.Number} is not after {Latest.Number}", nameof(generation));
        Put(generation, texts);
    }

    /// <summary>Writes a generation that others have. One of the same number that is another one goes aside: its folder keeps its files, under a name
    /// with <c>replaced</c> in it.</summary>
    /// <exception cref="RulesetStoreException">It cannot be written; it is not there then.</exception>
    public void Put(RulesetGeneration generation, RulesetTexts texts)
    {
        ArgumentNullException.ThrowIfNull(generation);
        ArgumentNullException.ThrowIfNull(texts);
        Guard(generation, () =>
        {
            var unfinished = WriteNew(generation, texts);
            PutInPlace(unfinished, generation);
        });
    }

    /// <summary>Writes what is made ready, in the place of what was before. It is on the disk when this returns.</summary>
    /// <exception cref="RulesetStoreException">It cannot be written; nothing is ready then.</exception>
    public void Prepare(PreparedGeneration prepared, RulesetTexts texts)
    {
        ArgumentNullException.ThrowIfNull(prepared);
        ArgumentNullException.ThrowIfNull(texts);
        Guard(prepared.Generation, () =>
        {
            var unfinished = WriteNew(prepared.Generation, texts, prepared);
            Drop();
            Directory.Move(unfinished, Path.Combine(_folder, PreparedName));
            DurableFiles.Sync(_folder);
        });
        Prepared = prepared;
    }

    /// <summary>Makes a generation of what was made ready.</summary>
    /// <exception cref="RulesetStoreException">It cannot be written; it is ready as before.</exception>
    public void CommitPrepared()
    {
        var generation = Prepared!.Generation;
        Guard(generation, () => PutInPlace(Path.Combine(_folder, PreparedName), generation));
        Prepared = null;
    }

    /// <summary>Forgets what was made ready, where there is something.</summary>
    /// <exception cref="RulesetStoreException">The disk refuses.</exception>
    public void DropPrepared()
    {
        if (Prepared is not { } prepared) return;
        Guard(prepared.Generation, () =>
        {
            Drop();
            DurableFiles.Sync(_folder);
        });
    }

    /// <summary>Notes that a generation stays.</summary>
    /// <exception cref="RulesetStoreException">It cannot be written.</exception>
    public RulesetGeneration Confirm(RulesetGeneration generation, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(generation);
        var folder = FolderOf(generation.Number);
        try
        {
            DurableFiles.Write(Path.Combine(folder, ConfirmedName), string.Create(CultureInfo.InvariantCulture, $"{now.UtcDateTime:O}\n"));
            DurableFiles.Sync(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RulesetStoreException($"{folder}: that generation {generation.Number} is confirmed cannot be written: {e.Message}", e);
        }
        var confirmed = generation with { ConfirmBy = null };
        _generations = [.. _generations.Select(g => g.Number == generation.Number ? confirmed : g)];
        return confirmed;
    }

    private static RulesetGeneration? ReadGeneration(string folder)
    {
        if (!ulong.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        var file = Path.Combine(folder, GenerationName);
        try
        {
            var generation = GenerationFile.Read(File.ReadAllText(file));
            if (generation.Number != number) throw new FormatException($"it is about generation {generation.Number}");
            return File.Exists(Path.Combine(folder, ConfirmedName)) ? generation with { ConfirmBy = null } : generation;
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new RulesetStoreException($"{file}: this is not what was written when the rules were applied: {e.Message}", e);
        }
    }

    private static PreparedGeneration? ReadPrepared(string folder)
    {
        if (!Directory.Exists(folder)) return null;
        var file = Path.Combine(folder, PreparedGeneration.FileName);
        try
        {
            return PreparedGeneration.Read(GenerationFile.Read(File.ReadAllText(Path.Combine(folder, GenerationName))), File.ReadAllText(file));
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new RulesetStoreException($"{file}: this is not what was written when the rules were made ready: {e.Message}", e);
        }
    }

    private static RulesetTexts Read(RulesetGeneration generation, string folder)
    {
        try
        {
            string Text(string name) => File.ReadAllText(Path.Combine(folder, name));
            var texts = new RulesetTexts(Text(IPv4Name), Text(IPv6Name), Text(SetsName));
            if (texts.Digest() == generation.Digest) return texts;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RulesetStoreException($"{folder}: the rules of generation {generation.Number} cannot be read: {e.Message}", e);
        }
        throw new RulesetStoreException(
            $"{folder}: these are not the rules that were applied as generation {generation.Number} (their sha256 is another one); "
            + "bring back the files as they were, or remove the folder to go on with the generation before");
    }

    private string WriteNew(RulesetGeneration generation, RulesetTexts texts, PreparedGeneration? prepared = null)
    {
        var unfinished = Path.Combine(_folder, NewPrefix + generation.Number.ToString(CultureInfo.InvariantCulture));
        if (Directory.Exists(unfinished)) Directory.Delete(unfinished, recursive: true); // the disk was full, say
        Directory.CreateDirectory(unfinished);
        (string, string)[] files = [(IPv4Name, texts.IPv4), (IPv6Name, texts.IPv6), (SetsName, texts.Sets), (GenerationName, GenerationFile.Write(generation))];
        DurableFiles.WriteAll(unfinished, prepared is null ? files : [.. files, (PreparedGeneration.FileName, prepared.Write())]);
        return unfinished;
    }

    /// <summary>The generation is on the disk, under its number, when this returns.</summary>
    private void PutInPlace(string written, RulesetGeneration generation)
    {
        var folder = FolderOf(generation.Number);
        if (Directory.Exists(folder)) Directory.Move(folder, NameAside(folder));
        Directory.Move(written, folder);
        DurableFiles.Sync(_folder);
        _generations = [.. _generations.Where(g => g.Number != generation.Number).Append(generation).OrderBy(g => g.Number)];
        Prune();
    }

    private static string NameAside(string folder)
    {
        var number = 1;
        while (Directory.Exists($"{folder}.replaced-{number}")) number++;
        return $"{folder}.replaced-{number}";
    }

    private void Drop()
    {
        var folder = Path.Combine(_folder, PreparedName);
        Prepared = null;
        if (!Directory.Exists(folder)) return;
        // Under another name it is gone at once, also for whoever starts next.
        var dropped = Path.Combine(_folder, NewPrefix + PreparedName);
        if (Directory.Exists(dropped)) Directory.Delete(dropped, recursive: true);
        Directory.Move(folder, dropped);
        Directory.Delete(dropped, recursive: true);
    }

    private void Guard(RulesetGeneration generation, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RulesetStoreException($"{_folder}: generation {generation.Number} cannot be written: {e.Message}", e);
        }
    }

    private string FolderOf(ulong number) => Path.Combine(_folder, number.ToString("d12", CultureInfo.InvariantCulture));

    /// <summary>A folder that cannot be removed is tried again with the next generation.</summary>
    private void Prune()
    {
        foreach (var old in _generations.SkipLast(_keep).ToArray())
        {
            try
            {
                Directory.Delete(FolderOf(old.Number), recursive: true);
                _generations = [.. _generations.Where(g => g.Number != old.Number)];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return;
            }
        }
    }
}
