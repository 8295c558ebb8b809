using FwCluster.Packets;
using FwCluster.Rules.Evaluation.Classification;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Sets;

/// <summary>A set while its file is read.</summary>
internal sealed class SetBuilder
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    // IPSET_MAX_TIMEOUT.
    private const uint MaxTimeout = int.MaxValue / 1000;
    private const int MaxNameLength = 31;

    private readonly ErrorList _errors;
    private readonly SetType _type;
    private readonly ElementReader _reader;
    private readonly Dictionary<SetKey, SetElement> _keyed = [];
    private readonly Dictionary<ushort, SetElement> _ports = [];
    private readonly Dictionary<(IpAddress, int), List<InterfaceElement>> _networks = [];
    private readonly List<(Token Name, SetElement Element)> _members = [];
    private IpFamily _family = IpFamily.IPv4;
    private int _netmask;
    private uint? _timeout;
    private uint _maxElements = 65536;
    private FieldRange? _range;

    private SetBuilder(string name, SetType type, ErrorList errors)
    {
        Name = name;
        _type = type;
        _errors = errors;
        _reader = new ElementReader(errors);
        _netmask = _family.AddressBits();
    }

    /// <summary>The set's name.</summary>
    public string Name { get; }

    /// <summary>It holds other sets.</summary>
    public bool IsList => _type.Name == "list:set";

    /// <summary>Reads a <c>create</c> line.</summary>
    public static SetBuilder Create(List<Token> words, ErrorList errors)
    {
        var (name, typeWord) = (words[1], words[2]);
        if (name.Text.Length > MaxNameLength) errors.Error(name, $"a set's name has at most {MaxNameLength} characters");
        var type = SetType.All.FirstOrDefault(t => t.Name == typeWord.Text);
        if (type is null)
            errors.Error(typeWord, $"sets of type \"{typeWord}\" are not supported", "there are " + string.Join(", ", SetType.All.Select(t => t.Name)));
        var builder = new SetBuilder(name.Text, type ?? SetType.All[0], errors);
        if (type is not null) builder.ReadOptions(words);
        return builder;
    }

    /// <summary>Reads an <c>add</c> line.</summary>
    public void Add(List<Token> words, bool maybeThere)
    {
        var element = ReadElement(words, out var isWildcard);
        var mistakes = _errors.Count;
        var target = words[2];
        switch (_type.Name)
        {
            case "list:set":
                if (_members.Any(m => m.Name.Text == target.Text) && !maybeThere) _errors.Error(target, $"\"{target}\" is in the set already");
                else _members.Add((target, element));
                break;
            case "bitmap:port":
                AddPorts(target, element, maybeThere);
                break;
            case "hash:net,iface":
                AddInterface(target, element, isWildcard);
                break;
            default:
                AddKeys(target, element, maybeThere);
                break;
        }
        if (_errors.Count == mistakes && _keyed.Count > _maxElements)
            _errors.Error(target, $"the set \"{Name}\" is full: it holds {_maxElements} elements", "create it with a greater maxelem");
    }

    /// <summary>Makes the set.</summary>
    /// <param name="others">Sets made before, for a list.</param>
    /// <param name="errors">Where mistakes go.</param>
    public IpSet Build(Dictionary<string, IpSet> others, IErrorSink errors)
    {
        switch (_type.Name)
        {
            case "list:set":
                return new ListSet(Name, [.. Members(others, errors)]);
            case "bitmap:port":
                return new PortSet(Name, _ports);
            case "hash:net,iface":
                return new InterfaceSet(Name, _family, _networks.ToDictionary(n => n.Key, n => n.Value.ToArray()));
            default:
                return new KeyedSet(Name, _type.Name, _family, _type.Shape, _netmask, _keyed);
        }
    }

    private IEnumerable<(IpSet, SetElement)> Members(Dictionary<string, IpSet> others, IErrorSink errors)
    {
        foreach (var (name, element) in _members)
        {
            if (!others.TryGetValue(name.Text, out var set)) errors.Error(name, $"there is no set \"{name}\"", Nearest.Hint(name.Text, others.Keys));
            else if (set is ListSet) errors.Error(name, $"\"{name}\" is a list itself", "a list holds sets that are none");
            else yield return (set, element);
        }
    }

    private void ReadOptions(List<Token> words)
    {
        Token? range = null, netmask = null;
        for (var i = 3; i < words.Count; i++)
        {
            var option = words[i];
            if (!_type.Knows(option.Text))
            {
                _errors.Error(option, $"\"{option}\" is not an option of {_type.Name} sets", "there are " + string.Join(", ", _type.Options.Trim().Split(' ')));
                return;
            }
            if (SetType.IsFlag(option.Text)) continue;
            if (i + 1 == words.Count)
            {
                _errors.Error(option, $"the value of \"{option}\" is missing");
                return;
            }
            var value = words[++i];
            switch (option.Text)
            {
                case "family":
                    ReadFamily(value);
                    break;
                case "timeout":
                    _timeout = Number(value, MaxTimeout);
                    break;
                case "maxelem":
                    _maxElements = Number(value, uint.MaxValue);
                    break;
                case "netmask":
                    netmask = value;
                    break;
                case "range":
                    range = value;
                    break;
                default:
                    Number(value, uint.MaxValue);
                    break;
            }
        }
        _netmask = netmask is { } mask ? (int)Number(mask, (uint)_family.AddressBits()) : _family.AddressBits();
        if (_type.Name == "bitmap:port") _range = range is { } ports ? _reader.Ports(ports) : null;
        if (_type.Name == "bitmap:ip") _range = range is { } addresses ? _reader.Addresses(addresses, _family) : null;
        if (_range is null && _type.Knows("range")) _errors.Error(words[2], $"a {_type.Name} set needs a range", "write range FIRST-LAST");
    }

    private void ReadFamily(Token value)
    {
        if (value.Text is "inet" or "inet6") _family = value.Text == "inet" ? IpFamily.IPv4 : IpFamily.IPv6;
        else _errors.Error(value, $"\"{value}\" is not a family", "there are inet and inet6");
    }

    private SetElement ReadElement(List<Token> words, out bool isWildcard)
    {
        var timeout = _timeout;
        var isNomatch = false;
        isWildcard = false;
        for (var i = 3; i < words.Count; i++)
        {
            var option = words[i];
            switch (option.Text)
            {
                case "nomatch" when (_type.Shape & KeyShape.Network) != 0:
                    isNomatch = true;
                    break;
                case "wildcard" when _type.Name == "hash:net,iface":
                    isWildcard = true;
                    break;
                case "timeout" or "packets" or "bytes" or "comment" or "skbmark" or "skbprio" or "skbqueue" when i + 1 < words.Count:
                    i++;
                    if (option.Text != "timeout") break;
                    if (_timeout is null) _errors.Error(option, $"the set \"{Name}\" was created without timeout");
                    timeout = Number(words[i], MaxTimeout);
                    break;
                default:
                    _errors.Error(option, $"\"{option}\" is not an option of an element of a {_type.Name} set");
                    return default;
            }
        }
        return new(timeout is null or 0 ? SetElement.Forever : timeout.Value * NanosecondsPerSecond, isNomatch);
    }

    private void AddPorts(Token word, SetElement element, bool maybeThere)
    {
        if (_reader.Ports(word) is not { } ports || _range is not { } range) return;
        if (ports.First < range.First || ports.Last > range.Last)
        {
            _errors.Error(word, $"\"{word}\" is outside the set's range, {range.First} to {range.Last}");
            return;
        }
        for (var port = ports.First; port <= ports.Last; port++)
        {
            if (!_ports.TryAdd((ushort)port, element) && !maybeThere && ports.First == ports.Last)
                _errors.Error(word, $"\"{word}\" is in the set already");
            _ports[(ushort)port] = element;
        }
    }

    private void AddInterface(Token word, SetElement element, bool isWildcard)
    {
        var comma = word.Text.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0)
        {
            _errors.Error(word, $"the interface is missing in \"{word}\"", "write NETWORK,INTERFACE");
            return;
        }
        if (_reader.Interface(word.Part(comma + 1, word.Text.Length - comma - 1), isWildcard) is not { } found) return;
        foreach (var (address, prefix) in _reader.Networks(word.Part(0, comma), _family, allowsWhole: true))
        {
            if (!_networks.TryGetValue((address, prefix), out var elements)) _networks.Add((address, prefix), elements = []);
            elements.Add(found with { Element = element });
        }
    }

    private void AddKeys(Token word, SetElement element, bool maybeThere)
    {
        var parts = ExtensionOptions.List(word).ToArray();
        if (parts.Length != _type.Shape.Dimensions())
        {
            _errors.Error(word, $"an element of a {_type.Name} set has {_type.Shape.Dimensions()} parts, and \"{word}\" has {parts.Length}");
            return;
        }
        var mistakes = _errors.Count;
        (byte Protocol, FieldRange Range) ports = (_type.Shape & KeyShape.Port) != 0
            ? _reader.ProtocolPorts(parts[1])
            : ((byte)0, new FieldRange(0, 0));
        var seconds = new FieldRange(0, 0);
        if ((_type.Shape & KeyShape.SecondAddress) != 0)
        {
            if (_reader.Addresses(parts[2], _family) is not { } range) return;
            seconds = range;
        }
        var added = false;
        foreach (var (address, prefix) in (_type.Shape & KeyShape.Network) != 0 ? _reader.Networks(parts[0], _family, allowsWhole: false) : Addresses(parts[0]))
        {
            for (var behind = UInt128.Zero; behind <= seconds.Last - seconds.First; behind++)
            {
                for (var port = ports.Range.First; port <= ports.Range.Last; port++)
                {
                    var key = new SetKey
                    {
                        Address = address.And(IpAddress.PrefixMask(_family, _netmask)), Second = IpAddress.FromValue(seconds.First + behind), Port = (ushort)port,
                        Protocol = ports.Protocol, Prefix = (byte)prefix,
                    };
                    added |= _keyed.TryAdd(key, element);
                    if (maybeThere) _keyed[key] = element;
                    if (_keyed.Count > _maxElements) return;
                }
            }
        }
        if (!added && !maybeThere && _errors.Count == mistakes) _errors.Error(word, $"\"{word}\" is in the set already, or names nothing");
    }

    /// <summary>Each address of a range or network.</summary>
    private IEnumerable<(IpAddress Address, int Prefix)> Addresses(Token word)
    {
        if (_reader.Addresses(word, _family) is not { } range) yield break;
        if (_type.Name == "bitmap:ip" && _range is { } allowed && (range.First < allowed.First || range.Last > allowed.Last))
        {
            _errors.Error(word, $"\"{word}\" is outside the set's range");
            yield break;
        }
        for (var address = range.First; ; address++)
        {
            yield return (IpAddress.FromValue(address), _family.AddressBits());
            if (address == range.Last) yield break;
        }
    }

    private uint Number(Token word, uint max)
    {
        if (ExtensionOptions.TryNumber(word.Text, out var value) && value <= max) return (uint)value;
        _errors.Error(word, $"\"{word}\" is not a number from 0 to {max}");
        return 0;
    }
}
