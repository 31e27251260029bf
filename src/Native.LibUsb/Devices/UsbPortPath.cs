using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Native.LibUsb;

/// <summary>Represents the place where a device is plugged in: the bus, and the port on each hub on the way. It stays the same when the device is replugged
/// there.</summary>
public readonly struct UsbPortPath : IEquatable<UsbPortPath>
{
    /// <summary>Hubs can be nested this deep.</summary>
    public const int MaxDepth = 7;

    private readonly PortNumbers _ports;
    private readonly byte _depth;

    /// <summary>Initializes a path from its parts.</summary>
    /// <param name="bus">The number of the bus.</param>
    /// <param name="ports">The port on the root hub first; at most <see cref="MaxDepth"/>; none is the root hub itself.</param>
    /// <exception cref="ArgumentException">There are too many ports.</exception>
    public UsbPortPath(byte bus, ReadOnlySpan<byte> ports)
    {
        if (ports.Length > MaxDepth)
            throw new ArgumentException($"A port path has at most {MaxDepth} ports.", nameof(ports));
        Bus = bus;
        ports.CopyTo(_ports);
        _depth = (byte)ports.Length;
    }

    /// <summary>Gets the number of the bus.</summary>
    public byte Bus { get; }

    /// <summary>Gets the ports, that on the root hub first; empty for the root hub.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> Ports => ((ReadOnlySpan<byte>)_ports)[.._depth];

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    /// <param name="text">Such as <c>1-2.3</c>.</param>
    /// <param name="path">The path.</param>
    /// <returns>Whether the text is a path.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out UsbPortPath path)
    {
        path = default;
        int dash = text.IndexOf('-');
        if (dash < 0 || !TryParseNumber(text[..dash], out byte bus))
            return false;

        Span<byte> ports = stackalloc byte[MaxDepth];
        int depth = 0;
        ReadOnlySpan<char> rest = text[(dash + 1)..];
        if (rest is "0")
        {
            path = new UsbPortPath(bus, default);
            return true;
        }

        foreach (Range part in rest.Split('.'))
        {
            if (depth == MaxDepth || !TryParseNumber(rest[part], out ports[depth]) || ports[depth] == 0)
                return false;
            depth++;
        }

        path = new UsbPortPath(bus, ports[..depth]);
        return true;
    }

    /// <summary>Returns the path as Linux writes it: <c>1-2.3</c> is port 3 of the hub on port 2 of bus 1; <c>1-0</c> is the root hub of bus 1.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Bus}-");
        if (_depth == 0)
            text.Append('0');
        for (int i = 0; i < _depth; i++)
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ".")}{_ports[i]}");
        return text.ToString();
    }

    /// <inheritdoc/>
    public bool Equals(UsbPortPath other) => Bus == other.Bus && Ports.SequenceEqual(other.Ports);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is UsbPortPath other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Bus);
        hash.AddBytes(Ports);
        return hash.ToHashCode();
    }

    /// <summary>Returns whether both are the same place.</summary>
    public static bool operator ==(UsbPortPath left, UsbPortPath right) => left.Equals(right);

    /// <summary>Returns whether they are different places.</summary>
    public static bool operator !=(UsbPortPath left, UsbPortPath right) => !left.Equals(right);

    private static bool TryParseNumber(ReadOnlySpan<char> text, out byte number) =>
        byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    [InlineArray(MaxDepth)]
    private struct PortNumbers
    {
        private byte _first;
    }
}
