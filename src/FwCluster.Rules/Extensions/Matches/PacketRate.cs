using System.Globalization;
using FwCluster.Rules.Text;

namespace FwCluster.Rules.Extensions.Matches;

/// <summary>Rates as <c>limit</c> and <c>hashlimit</c> write them, <c>3/hour</c>, and keep them: as the time between two packets.</summary>
internal static class PacketRate
{
    /// <summary>Parts of a second in which <c>limit</c> keeps that time (XT_LIMIT_SCALE).</summary>
    public const ulong LimitScale = 10_000;

    /// <summary>Parts of a second in which <c>hashlimit</c> keeps it (XT_HASHLIMIT_SCALE_v2).</summary>
    public const ulong HashLimitScale = 1_000_000;

    private static readonly (string Name, string Printed, uint Seconds)[] Units =
        [("day", "day", 86400), ("hour", "hour", 3600), ("minute", "min", 60), ("second", "sec", 1)];

    /// <summary>Reads <c>NUMBER[/UNIT]</c>, a unit being second, minute, hour, day or a beginning of one; reports what it cannot read.</summary>
    /// <param name="options">Where mistakes go.</param>
    /// <param name="word">The word.</param>
    /// <param name="scale">Parts of a second.</param>
    /// <param name="seconds">The unit's seconds.</param>
    public static ulong Read(ExtensionOptions options, Token word, ulong scale, out uint seconds)
    {
        seconds = 1;
        var slash = word.Text.IndexOf('/', StringComparison.Ordinal);
        if (slash >= 0)
        {
            var unit = word.Text[(slash + 1)..];
            // Tried from the second on, so that a beginning means the same as to iptables.
            var known = Units.LastOrDefault(u => unit.Length > 0 && u.Name.StartsWith(unit, StringComparison.OrdinalIgnoreCase));
            if (known.Name is null)
            {
                options.Error(word.Part(slash + 1, unit.Length), $"{options.Name}: \"{unit}\" is not a unit of time",
                    "write second, minute, hour or day");
                return scale;
            }
            seconds = known.Seconds;
        }
        var number = slash < 0 ? word.Text : word.Text[..slash];
        if (!uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var packets) || packets == 0)
        {
            options.Error(word, $"{options.Name}: \"{word}\" is not a rate", "write packets and a unit of time, like 10/second");
            return scale;
        }
        var period = scale * seconds / packets;
        if (period == 0)
            options.Error(word, $"{options.Name}: the rate \"{word}\" is too high", $"at most {scale}/second can be told apart");
        return period;
    }

    /// <summary>The rate in the unit in which <c>print_rate</c> prints it.</summary>
    /// <param name="period">Time between packets.</param>
    /// <param name="scale">Parts of a second.</param>
    /// <param name="seconds">Seconds of the unit printed.</param>
    public static string Text(ulong period, ulong scale, out uint seconds)
    {
        // The finest unit that the period does not exceed, and in which it does not come out too uneven.
        var unit = 1;
        for (; unit < Units.Length; unit++)
        {
            var length = scale * Units[unit].Seconds;
            if (period > length || length / period < length % period) break;
        }
        seconds = Units[unit - 1].Seconds;
        return string.Create(CultureInfo.InvariantCulture, $"{scale * seconds / period}/{Units[unit - 1].Printed}");
    }
}
