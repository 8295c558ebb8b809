using System.Collections;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace FwCluster.Node.Configuration;

/// <summary>
/// Settings as they were written, by path (<c>queue.number</c>), each with the place it came from: the defaults, then the file, the environment
/// and the command line over them. A path that is not among the defaults is refused.
/// </summary>
internal sealed class SettingValues
{
    /// <summary>Below this path any name is one: what they mean is checked elsewhere.</summary>
    private const string Free = "tracking.sysctl.";

    private const string EnvironmentPrefix = "FWCLUSTER_";

    private readonly SortedDictionary<string, (string Value, string Place)> _values = new(StringComparer.Ordinal);

    private SettingValues()
    {
        using var stream = typeof(SettingValues).Assembly.GetManifestResourceStream("fwclusterd.yaml")!;
        using var reader = new StreamReader(stream);
        AddYaml(reader.ReadToEnd(), "default");
        Known = [.. _values.Keys];
    }

    /// <summary>Every path there is.</summary>
    public HashSet<string> Known { get; } = [];

    /// <summary>Collects the settings.</summary>
    /// <param name="file">The configuration file, or null.</param>
    /// <param name="environment">The environment.</param>
    /// <param name="assignments"><c>PATH=VALUE</c> of the command line.</param>
    /// <exception cref="SettingsException">Something is no setting.</exception>
    public static SettingValues Collect(string? file, IDictionary environment, IEnumerable<string> assignments)
    {
        var values = new SettingValues();
        if (file is not null) values.AddYaml(ReadFile(file), file);
        foreach (DictionaryEntry variable in environment)
        {
            var name = (string)variable.Key;
            if (name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal))
                values.Set(values.PathOf(name), (string?)variable.Value ?? "", $"environment variable {name}");
        }
        foreach (var assignment in assignments)
        {
            var equals = assignment.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) throw new SettingsException($"--set {assignment}: there is no '='; --set queue.number=7 would be right");
            values.Set(assignment[..equals].Trim(), assignment[(equals + 1)..].Trim(), $"--set {assignment}");
        }
        return values;
    }

    /// <summary>A setting's value.</summary>
    public string this[string path] => _values[path].Value;

    /// <summary>Each path with its value, the blanks around commas left out.</summary>
    public IReadOnlyDictionary<string, string> Texts
        => _values.ToDictionary(v => v.Key, v => string.Join(',', v.Value.Value.Split(',', StringSplitOptions.TrimEntries)));

    /// <summary>The settings whose paths begin so, without it.</summary>
    public IEnumerable<(string Name, string Value, string Place)> Below(string prefix)
        => _values.Where(v => v.Key.StartsWith(prefix, StringComparison.Ordinal))
            .Select(v => (v.Key[prefix.Length..], v.Value.Value, v.Value.Place));

    /// <summary>The mistake of a setting's value, with the place it was written.</summary>
    public SettingsException Wrong(string path, string right)
        => new($"{_values[path].Place}: {path} is '{_values[path].Value}'; it must be {right}");

    private static string ReadFile(string file)
    {
        try
        {
            return System.IO.File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{file}: cannot be read: {e.Message}");
        }
    }

    private void AddYaml(string text, string file)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new SettingsException($"{file}:{e.Start.Line}:{e.Start.Column}: {e.Message}");
        }
        if (yaml.Documents.Count == 0) return;
        Add(yaml.Documents[0].RootNode, "", file);
    }

    private void Add(YamlNode node, string path, string file)
    {
        var place = $"{file}:{node.Start.Line}:{node.Start.Column}";
        switch (node)
        {
            case YamlMappingNode mapping:
                foreach (var (key, value) in mapping.Children)
                    Add(value, path.Length == 0 ? key.ToString() : $"{path}.{key}", file);
                break;
            case YamlScalarNode scalar:
                Set(path, scalar.Value ?? "", place);
                break;
            case YamlSequenceNode sequence when sequence.Children.All(c => c is YamlScalarNode):
                Set(path, string.Join(',', sequence.Children.Select(c => c.ToString())), place);
                break;
            default:
                throw new SettingsException($"{place}: {path}: a value was expected here");
        }
    }

    private void Set(string path, string value, string place)
    {
        if (Known.Count > 0 && !Known.Contains(path) && !path.StartsWith(Free, StringComparison.Ordinal))
            throw new SettingsException($"{place}: there is no setting '{path}'; there are {string.Join(", ", Known)}");
        _values[path] = (value, place);
    }

    /// <summary>FWCLUSTER_MIRROR_BUFFER_MIB is mirror.buffer-mib.</summary>
    private string PathOf(string variable)
    {
        var words = variable[EnvironmentPrefix.Length..].ToLowerInvariant();
        var free = Free.Replace('.', '_');
        if (words.StartsWith(free, StringComparison.Ordinal)) return Free + words[free.Length..];
        return Known.FirstOrDefault(path => path.Replace('.', '_').Replace('-', '_') == words) ?? words;
    }
}
