namespace Native.LibUsb.Testing;

/// <summary>Represents the text of a string descriptor: one text, or one for each language.</summary>
public sealed class UsbText : IEquatable<UsbText>
{
    private readonly SortedDictionary<ushort, string> _byLanguage = [];

    private UsbText(ReadOnlyMemory<byte> descriptor)
    {
        Default = "";
        RawBytes = descriptor;
    }

    /// <summary>Makes a text that every language of the device has.</summary>
    /// <param name="text">At most 126 UTF-16 code units: a descriptor has one byte for its length. They go over the wire as they are, NULs and
    /// surrogates that are alone included.</param>
    public UsbText(string text)
    {
        Default = Checked(text);
    }

    /// <summary>Gets the bytes of the whole string descriptor, as the device gives them in every language; null for those that the text makes.</summary>
    public ReadOnlyMemory<byte>? RawBytes { get; }

    /// <summary>Gets the text for languages that have none of their own; empty when there are <see cref="RawBytes"/>.</summary>
    public string Default { get; }

    /// <summary>Gets the text for one language, by its identifier (0x0407 is German).</summary>
    public string this[ushort language]
    {
        get => _byLanguage.GetValueOrDefault(language, Default);
        init => _byLanguage[language] = Checked(value);
    }

    /// <summary>Gets the languages that have a text of their own.</summary>
    public IReadOnlyCollection<ushort> Languages => _byLanguage.Keys;

    /// <summary>Makes a text that every language has.</summary>
    public static implicit operator UsbText(string text) => new(text);

    /// <summary>Makes a text that every language has.</summary>
    public static UsbText FromString(string text) => new(text);

    /// <summary>Makes a text from the bytes of its descriptor, which may be inconsistent: a length that lies, an odd length, another type.</summary>
    /// <param name="descriptor">The whole descriptor, as the device gives it, from its length byte on.</param>
    public static UsbText Raw(ReadOnlyMemory<byte> descriptor) => new((ReadOnlyMemory<byte>)descriptor.ToArray());

    /// <inheritdoc/>
    public bool Equals(UsbText? other) => other is not null && Default == other.Default && _byLanguage.SequenceEqual(other._byLanguage)
        && RawBytes.HasValue == other.RawBytes.HasValue && RawBytes.GetValueOrDefault().Span.SequenceEqual(other.RawBytes.GetValueOrDefault().Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as UsbText);

    /// <inheritdoc/>
    public override int GetHashCode() => Default.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => RawBytes is { } raw ? Convert.ToHexString(raw.Span) : Default;

    private static string Checked(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= 126 ? text : throw new ArgumentException("A string descriptor holds at most 126 UTF-16 code units.", nameof(text));
    }
}
