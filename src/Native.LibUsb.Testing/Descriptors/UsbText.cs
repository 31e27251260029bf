namespace Native.LibUsb.Testing;

/// <summary>Represents the text of a string descriptor: one text for all languages, or separate texts for some languages.</summary>
public sealed class UsbText : IEquatable<UsbText>
{
    private readonly SortedDictionary<ushort, string> _byLanguage = [];

    private UsbText(ReadOnlyMemory<byte> descriptor)
    {
        Default = "";
        RawBytes = descriptor;
    }

    /// <summary>Initializes a new instance of the <see cref="UsbText"/> class with a text for every language of the device.</summary>
    /// <param name="text">The text, with at most 126 UTF-16 code units, because a descriptor has one byte for its length. The device sends the code units
    /// unchanged, including NULs and lone surrogates.</param>
    public UsbText(string text)
    {
        Default = Checked(text);
    }

    /// <summary>
    /// Gets the bytes of the complete string descriptor. The device returns the same bytes for every language. Null if the bytes are generated from the text.
    /// </summary>
    public ReadOnlyMemory<byte>? RawBytes { get; }

    /// <summary>Gets the text for languages that have no text of their own. If <see cref="RawBytes"/> is set, the text is empty.</summary>
    public string Default { get; }

    /// <summary>Gets or sets the text for one language, by language identifier (0x0407 is German).</summary>
    public string this[ushort language]
    {
        get => _byLanguage.GetValueOrDefault(language, Default);
        init => _byLanguage[language] = Checked(value);
    }

    /// <summary>Gets the languages that have a text of their own.</summary>
    public IReadOnlyCollection<ushort> Languages => _byLanguage.Keys;

    /// <summary>Creates a text for every language.</summary>
    public static implicit operator UsbText(string text) => new(text);

    /// <summary>Creates a text for every language.</summary>
    public static UsbText FromString(string text) => new(text);

    /// <summary>
    /// Creates a text from the bytes of its descriptor. The bytes may be inconsistent: for example, they may contain a wrong or odd length, or another
    /// descriptor type.
    /// </summary>
    /// <param name="descriptor">The complete descriptor, as the device returns it, including its length byte.</param>
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
