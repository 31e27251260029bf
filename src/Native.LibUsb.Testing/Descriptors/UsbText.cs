namespace Native.LibUsb.Testing;

/// <summary>The text of a string descriptor: one text, or one for each language.</summary>
public sealed class UsbText : IEquatable<UsbText>
{
    private readonly SortedDictionary<ushort, string> _byLanguage = [];

    /// <summary>Makes a text that every language of the device has.</summary>
    /// <param name="text">At most 126 UTF-16 code units: a descriptor has one byte for its length.</param>
    public UsbText(string text)
    {
        Default = Checked(text);
    }

    /// <summary>The text for languages that have none of their own.</summary>
    public string Default { get; }

    /// <summary>The text for one language, by its identifier (0x0407 is German).</summary>
    public string this[ushort language]
    {
        get => _byLanguage.GetValueOrDefault(language, Default);
        init => _byLanguage[language] = Checked(value);
    }

    /// <summary>The languages that have a text of their own.</summary>
    public IReadOnlyCollection<ushort> Languages => _byLanguage.Keys;

    /// <summary>Makes a text that every language has.</summary>
    public static implicit operator UsbText(string text) => new(text);

    /// <summary>Makes a text that every language has.</summary>
    public static UsbText FromString(string text) => new(text);

    /// <inheritdoc/>
    public bool Equals(UsbText? other) => other is not null && Default == other.Default && _byLanguage.SequenceEqual(other._byLanguage);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as UsbText);

    /// <inheritdoc/>
    public override int GetHashCode() => Default.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Default;

    private static string Checked(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= 126 ? text : throw new ArgumentException("A string descriptor holds at most 126 UTF-16 code units.", nameof(text));
    }
}
