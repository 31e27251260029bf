using System.CommandLine.Parsing;
using System.Globalization;
using Native.LibUsb;

namespace Usbcap.Commands;

/// <summary>Parses the values of options. If a value is not valid, the error message contains the name of the option.</summary>
internal static class Arguments
{
    private static readonly (string Suffix, long Factor)[] s_sizes =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
        ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("B", 1), ("", 1),
    ];

    private static readonly (string Suffix, double Seconds)[] s_times =
        [("ms", 0.001), ("us", 0.000_001), ("min", 60), ("s", 1), ("m", 60), ("h", 3600), ("", 1)];

    /// <summary>Parses a vendor or product identifier in lsusb's notation: hexadecimal, with or without 0x.</summary>
    public static ushort? Id(ArgumentResult result) =>
        TryHex(Text(result), out int value) && value <= ushort.MaxValue
            ? (ushort)value
            : Refuse<ushort?>(result, "is not a hexadecimal number from 0000 to ffff");

    /// <summary>Parses an endpoint address: hexadecimal, with or without 0x.</summary>
    public static byte? Endpoint(ArgumentResult result) =>
        TryHex(Text(result), out int value) && (value & ~(UsbEndpointAddress.DirectionMask | UsbEndpointAddress.NumberMask)) == 0
            && UsbEndpointAddress.Number((byte)value) != 0
            ? (byte)value
            : Refuse<byte?>(result, "is not a hexadecimal endpoint address, such as 0x81");

    public static UsbPortPath? Port(ArgumentResult result) =>
        UsbPortPath.TryParse(Text(result), out UsbPortPath path) ? path : Refuse<UsbPortPath?>(result, "is not a port path, such as 1-2.3");

    public static TransferKind? Kind(ArgumentResult result) => Text(result) switch
    {
        "iso" or "isochronous" => TransferKind.Isochronous,
        "bulk" => TransferKind.Bulk,
        "interrupt" or "int" => TransferKind.Interrupt,
        _ => Refuse<TransferKind?>(result, "is not iso, bulk or interrupt"),
    };

    public static OutputFormat Format(ArgumentResult result) => Text(result) switch
    {
        "raw" => OutputFormat.Raw,
        "framed" => OutputFormat.Framed,
        _ => Refuse<OutputFormat>(result, "is not raw or framed"),
    };

    /// <summary>Returns a parser of whole numbers in a range.</summary>
    public static Func<ArgumentResult, int?> Number(int least, int most) => result =>
        int.TryParse(Text(result), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : Refuse<int?>(result, $"is not a number from {least} to {most}");

    /// <summary>Parses a number of packets or bytes, at least 1, with or without a unit.</summary>
    public static long? Count(ArgumentResult result)
    {
        string text = Text(result);
        foreach ((string suffix, long factor) in s_sizes)
        {
            if (!text.EndsWith(suffix, StringComparison.Ordinal))
                continue;
            return long.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long value)
                && value > 0 && value <= long.MaxValue / factor
                ? value * factor
                : Refuse<long?>(result, "is not a number above 0, such as 40000, 64KiB or 10MB");
        }

        return null;
    }

    /// <summary>Parses a time above 0. Without a unit, the number is in seconds.</summary>
    public static TimeSpan? Duration(ArgumentResult result)
    {
        string text = Text(result);
        foreach ((string suffix, double seconds) in s_times)
        {
            if (!text.EndsWith(suffix, StringComparison.Ordinal))
                continue;
            const double longest = 365 * 24 * 3600.0;
            return double.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
                && value * seconds is >= 0.000_001 and <= longest
                ? TimeSpan.FromSeconds(value * seconds)
                : Refuse<TimeSpan?>(result, "is not a time above 0, such as 5s, 250ms or 1.5min");
        }

        return null;
    }

    private static string Text(ArgumentResult result) => result.Tokens[0].Value;

    private static bool TryHex(string text, out int value) =>
        int.TryParse(text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(2) : text, NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture, out value) && value >= 0;

    private static T? Refuse<T>(ArgumentResult result, string reason)
    {
        string option = result.Parent is OptionResult parent ? parent.Option.Name : "argument";
        result.AddError($"{option}: '{Text(result)}' {reason}");
        return default;
    }
}
